"""Keeps the console's catalogues: `python scripts/catalogues.py update | check | untranslated TAG | fill TAG FILE`.

`update` finds the sentences in templates and Python, and brings every catalogue up to date. `check` writes nothing; it
names what is missing, unused, too long, or has other names in its braces, and the exit status is 1 when there is
anything. `untranslated` prints what a language lacks as a PO file; `fill` takes the filled file in, all of it or,
when something in it is wrong, nothing.

Serbian is written in Cyrillic; its Latin catalogue is made from that by `update` and `fill`, letter by letter.
"""

from __future__ import annotations

import argparse
import string
import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bridge.console.language import LANGUAGES  # noqa: E402 - after the path
from bridge.console.language.codes import LABELS  # noqa: E402 - after the path
from bridge.core.countries import KOSOVO_NOTE  # noqa: E402 - after the path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CONSOLE: Final = ROOT / "bridge" / "console"
CATALOGUES: Final = CONSOLE / "language" / "catalogues"
TAGS: Final = tuple(language.tag for language in LANGUAGES if language.tag != "en")
CALLS: Final = {"_": None, "text": None, "marked": None, "count": (1, 2)}
METHODS: Final = {".py": "python", ".html": "jinja2.ext:babel_extract", ".txt": "jinja2.ext:babel_extract"}
CYRILLIC, LATIN = "sr", "sr-Latn"
LETTERS: Final = str.maketrans(
    dict(zip("абвгдђежзијклмнопрстћуфхцчш", "abvgdđežzijklmnoprstćufhcčš", strict=True))
    | dict(zip("АБВГДЂЕЖЗИЈКЛМНОПРСТЋУФХЦЧШ", "ABVGDĐEŽZIJKLMNOPRSTĆUFHCČŠ", strict=True))
    | {"љ": "lj", "њ": "nj", "џ": "dž", "Љ": "Lj", "Њ": "Nj", "Џ": "Dž"}
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what is asked; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catalogues", type=Path, default=CATALOGUES, help="the directory of the PO files")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("update")
    commands.add_parser("check")
    commands.add_parser("untranslated").add_argument("tag", choices=TAGS)
    filling = commands.add_parser("fill")
    filling.add_argument("tag", choices=TAGS)
    filling.add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    folder, template = given.catalogues, source_messages()
    match given.command:
        case "update":
            _say(_update(folder, template, TAGS))
            return 0
        case "check":
            return _say(faults(folder, template))
        case "untranslated":
            path = folder / f"{given.tag}.po"
            print(f"{_header(path)}\n\n{_written(_wanted(template, _read(path)))}", end="")
            return 0
    wrong = _fill(folder / f"{given.tag}.po", template, _read(given.file))
    if not wrong and given.tag == CYRILLIC:
        _update(folder, template, (LATIN,))
    return _say(wrong)


def source_messages() -> Catalog:
    """Every sentence of the console and every label, as a catalogue without translations."""
    found = Catalog()
    for path in sorted(CONSOLE.rglob("*")):
        if path.suffix in METHODS:
            with path.open("rb") as source:
                for _, message, _, context in extract(METHODS[path.suffix], source, CALLS, options={"silent": "false"}):
                    found.add(message, context=context, locations=[(str(path.relative_to(ROOT)), 0)])
    found.add(KOSOVO_NOTE)
    for code_list, labels in LABELS.items():
        for label in labels.values():
            found.add(label, context=code_list)
    return found


def faults(folder: Path, template: Catalog) -> list[str]:
    """Everything that is wrong with the catalogues of a folder, each in one line."""
    return [f"{tag}: {fault}" for tag in TAGS for fault in _faults_of(tag, folder, template)]


def _faults_of(tag: str, folder: Path, template: Catalog) -> Iterator[str]:
    catalogue = _read(folder / f"{tag}.po")
    for message in _wanted(template, catalogue):
        if message.id:
            yield f"not translated: {_named(message)}"
    for message in catalogue:
        if message.id and template.get(message.id, message.context) is None:
            yield f"not used: {_named(message)}"
        yield from (f"{fault}: {_named(message)}" for fault in wrong_in(message))
    if tag == LATIN and _pairs(catalogue) != _pairs(_in_latin(_read(folder / f"{CYRILLIC}.po"))):
        yield f"not what {CYRILLIC}.po says; run update"


def wrong_in(message: Message) -> Iterator[str]:
    """What is wrong with one translation: other names in braces than the English, or too long for its place."""
    if not message.id:
        return
    english = message.id if isinstance(message.id, str) else message.id[-1]
    for translation in filter(None, _forms(message)):
        if _places(translation) != _places(english):
            yield f"other names in braces than the English: {translation}"
        if len(translation) > _room(english):
            yield f"{len(translation)} characters where {_room(english)} have room: {translation}"
        if translation != translation.strip():
            yield f"blanks at an end: {translation!r}"


def _room(english: str) -> int:
    """How many characters a translation may have: a sentence runs on, a label has a button or a cell around it."""
    return 2 * len(english) + 20 if english.endswith((".", "?", "!", ":")) else round(1.6 * len(english)) + 8


def _places(sentence: str) -> set[str] | None:
    """The names in braces; none at all for a sentence whose braces do not match."""
    try:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
    except ValueError:
        return None


def _update(folder: Path, template: Catalog, tags: Sequence[str]) -> list[str]:
    """Brings the files of some languages up to date; which of them have changed."""
    changed = []
    for tag in tags:
        path = folder / f"{tag}.po"
        known = _in_latin(_read(folder / f"{CYRILLIC}.po")) if tag == LATIN else _read(path)
        text = f"{_header(path)}\n\n{_written(_filled(template, known))}"
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")
            changed.append(f"{path.name}: written")
    return changed


def _fill(path: Path, template: Catalog, given: Catalog) -> list[str]:
    """Takes translations into a catalogue's file; what is wrong with them, and then nothing is written."""
    catalogue = _filled(template, _read(path))
    wrong = []
    for message in given:
        if not message.id or not any(_forms(message)):
            continue
        wrong += [f"{fault}: {_named(message)}" for fault in wrong_in(message)]
        into = catalogue.get(message.id, message.context)
        if into is None or len(_forms(into)) != len(_forms(message)):
            wrong.append(f"no such message, or another number of plural forms: {_named(message)}")
        else:
            into.string = message.string
    if not wrong:
        path.write_text(f"{_header(path)}\n\n{_written(catalogue)}", encoding="utf-8")
    return wrong


def _filled(template: Catalog, known: Catalog) -> Catalog:
    """The template with the translations that are known."""
    filled = _empty_like(known)
    for message in template:
        if message.id:
            old = known.get(message.id, message.context)
            empty = "" if isinstance(message.id, str) else ("",) * known.num_plurals
            string_of = empty if old is None or isinstance(old.id, str) != isinstance(message.id, str) else old.string
            filled.add(message.id, string_of, context=message.context, locations=message.locations)
    return filled


def _wanted(template: Catalog, known: Catalog) -> Catalog:
    """What of the template is not translated, or not in all its forms."""
    wanted = _empty_like(known)
    for message in _filled(template, known):
        if message.id and not all(_forms(message)):
            wanted.add(message.id, message.string, context=message.context, locations=message.locations)
    return wanted


def _empty_like(catalogue: Catalog) -> Catalog:
    """A catalogue with as many forms of the plural as another one."""
    empty = Catalog()
    empty.mime_headers = catalogue.mime_headers
    return empty


def _in_latin(cyrillic: Catalog) -> Catalog:
    for message in cyrillic:
        if message.id:
            forms = tuple(form.translate(LETTERS) for form in _forms(message))
            message.string = forms[0] if isinstance(message.id, str) else forms
    return cyrillic


def _pairs(catalogue: Catalog) -> Mapping[object, object]:
    return {(str(message.id), message.context): _forms(message) for message in catalogue if message.id}


def _forms(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def _named(message: Message) -> str:
    sentence = message.id if isinstance(message.id, str) else message.id[-1]
    return f"{message.context}: {sentence}" if message.context else sentence


def _read(path: Path) -> Catalog:
    with path.open("rb") as source:
        return read_po(source, abort_invalid=True)


def _header(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n\n")[0]


def _written(catalogue: Catalog) -> str:
    """The messages as a PO file without its header, the order and the places the same every time."""
    text = BytesIO()
    write_po(text, catalogue, width=0, omit_header=True, sort_output=True, include_lineno=False)
    return text.getvalue().decode()


def _say(lines: list[str]) -> int:
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
