"""Catalogues as they are checked in, and what the check says of one that is not in order."""

import importlib.util
import re
import shutil
import unicodedata
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message

from bridge.console.language import LANGUAGES

SCRIPT = Path(__file__).parents[3] / "scripts" / "catalogues.py"
TAGS = [language.tag for language in LANGUAGES if language.tag != "en"]


@pytest.fixture(scope="module")
def catalogues() -> ModuleType:
    spec = importlib.util.spec_from_file_location("catalogues", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.fixture(scope="module")
def template(catalogues: ModuleType) -> Catalog:
    return catalogues.source_messages()


@pytest.fixture
def folder(catalogues: ModuleType, tmp_path: Path) -> Path:
    return shutil.copytree(catalogues.CATALOGUES, tmp_path / "catalogues")


def test_nothing_is_missing_unused_too_long_or_has_other_names_in_its_braces(
    catalogues: ModuleType, template: Catalog
) -> None:
    assert catalogues.faults(catalogues.CATALOGUES, template) == []


@pytest.mark.parametrize("tag", TAGS)
def test_the_header_says_whether_a_native_speaker_has_read_it(catalogues: ModuleType, tag: str) -> None:
    header, _, _ = (catalogues.CATALOGUES / f"{tag}.po").read_text(encoding="utf-8").partition("\n\n")

    said = [line for line in header.splitlines() if "X-Reviewed-By-Native-Speaker" in line]

    answers = {"yes": True, "no": False}
    expected = {f'"X-Reviewed-By-Native-Speaker: {word}\\n"': reviewed for word, reviewed in answers.items()}
    assert [expected[line] for line in said] == [language.reviewed for language in LANGUAGES if language.tag == tag]


def test_a_translation_with_other_names_in_its_braces_is_refused(catalogues: ModuleType) -> None:
    message = Message("{time} ago", "prije {vrijeme}")

    assert list(catalogues.wrong_in(message)) == ["other names in braces than the English: prije {vrijeme}"]


def test_one_form_of_a_plural_with_other_names_is_refused(catalogues: ModuleType) -> None:
    message = Message(("{n} alert", "{n} alerts"), ("{n} upozorenje", "{n} upozorenja", "upozorenja {"))

    assert list(catalogues.wrong_in(message)) == ["other names in braces than the English: upozorenja {"]


def test_a_label_has_less_room_than_a_sentence(catalogues: ModuleType) -> None:
    assert list(catalogues.wrong_in(Message("Send", "x" * 14))) == []
    assert list(catalogues.wrong_in(Message("Send", "x" * 15))) == [f"15 characters where 14 have room: {'x' * 15}"]
    assert list(catalogues.wrong_in(Message("Send it.", "x" * 36))) == []


def test_what_is_missing_and_what_is_not_used_is_named(catalogues: ModuleType, template: Catalog, folder: Path) -> None:
    more, less = Catalog(), Catalog()
    for message in template:
        if message.id:
            less.add(message.id, context=message.context)
            more.add(message.id, context=message.context)
    more.add("Entirely new")
    less.delete("just now")

    assert "not translated: Entirely new" in catalogues._faults_of("ro", folder, more)
    assert "not used: just now" in catalogues._faults_of("ro", folder, less)


def test_latin_serbian_is_what_cyrillic_serbian_says(catalogues: ModuleType, template: Catalog, folder: Path) -> None:
    cyrillic = folder / "sr.po"
    cyrillic.write_text(cyrillic.read_text(encoding="utf-8").replace("управо сада", "Његош, Џеп, љуска"), "utf-8")
    fault = "not what sr.po says; run update"

    assert fault in catalogues._faults_of("sr-Latn", folder, template)
    catalogues._update(folder, template, ["sr", "sr-Latn"])
    assert "Njegoš, Džep, ljuska" in (folder / "sr-Latn.po").read_text(encoding="utf-8")
    assert fault not in catalogues._faults_of("sr-Latn", folder, template)


def test_an_update_keeps_header_and_translations_and_comes_to_rest(
    catalogues: ModuleType, template: Catalog, folder: Path
) -> None:
    reviewed = folder / "hu.po"
    reviewed.write_text(reviewed.read_text(encoding="utf-8").replace("Speaker: no", "Speaker: yes"), "utf-8")

    catalogues._update(folder, template, ["hu"])

    assert "X-Reviewed-By-Native-Speaker: yes" in reviewed.read_text(encoding="utf-8")
    assert "épp most" in reviewed.read_text(encoding="utf-8")
    assert catalogues._update(folder, template, ["hu"]) == []


@pytest.mark.parametrize("tag", TAGS)
def test_no_word_has_letters_of_two_scripts(catalogues: ModuleType, tag: str) -> None:
    text = (catalogues.CATALOGUES / f"{tag}.po").read_text(encoding="utf-8")

    words = re.findall(r"[^\W\d_]+", text)

    assert [word for word in words if len({unicodedata.name(letter).split()[0] for letter in word}) > 1] == []


def test_filling_takes_all_or_nothing(catalogues: ModuleType, template: Catalog, folder: Path) -> None:
    path, good, bad = folder / "hr.po", Catalog(), Catalog()
    good.add("just now", "baš sada")
    bad.add("just now", "u ovom trenutku")
    bad.add("{time} ago", "prije")
    bad.add("Entirely new", "Sasvim novo")

    wrong = catalogues._fill(path, template, bad)

    assert wrong == [
        "other names in braces than the English: prije: {time} ago",
        "no such message, or another number of plural forms: Entirely new",
    ]
    assert "u ovom trenutku" not in path.read_text(encoding="utf-8")
    assert catalogues._fill(path, template, good) == []
    assert "baš sada" in path.read_text(encoding="utf-8")


def test_every_form_of_the_plural_comes_back_from_a_filled_file(
    catalogues: ModuleType, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, filled = folder / "cnr.po", tmp_path / "filled.po"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.partition("\n\n")[0] + "\n\n", encoding="utf-8")
    where = ["--catalogues", str(folder)]

    assert catalogues.main([*where, "untranslated", "cnr"]) == 0
    assert capsys.readouterr().out.count('msgstr[2] ""') == before.count("msgstr[2]") > 0

    filled.write_text(before, encoding="utf-8")
    assert catalogues.main([*where, "fill", "cnr", str(filled)]) == 0
    assert path.read_text(encoding="utf-8") == before
