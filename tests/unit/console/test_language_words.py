from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.console.language import LANGUAGES, words_of
from bridge.core.errors import BadInputError


def test_a_moment_is_said_in_utc_and_in_local_time_beside_it() -> None:
    words = words_of("en", "Europe/Belgrade")

    assert words.moment(datetime(2026, 11, 28, 3, 7, tzinfo=UTC)) == "28 Nov 2026, 03:07 UTC (04:07 local)"


def test_local_time_names_its_day_where_that_is_another_one() -> None:
    words = words_of("en", "Europe/Belgrade")

    said = words.moment(datetime(2026, 11, 28, 23, 7, tzinfo=UTC))

    assert said == "28 Nov 2026, 23:07 UTC (29 Nov 2026, 00:07 local)"
    assert words.day(datetime(2026, 11, 28, 23, 7, tzinfo=UTC)) == words.day(date(2026, 11, 29)) == "29 Nov 2026"


def test_in_the_hour_that_the_clock_shows_twice_local_time_says_how_far_from_utc_it_is() -> None:
    words = words_of("en", "Europe/Belgrade")

    first = words.moment(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    second = words.moment(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    after = words.moment(datetime(2026, 10, 25, 2, 30, tzinfo=UTC))

    assert first == "25 Oct 2026, 00:30 UTC (02:30 UTC+0200 local)"
    assert second == "25 Oct 2026, 01:30 UTC (02:30 UTC+0100 local)"
    assert after == "25 Oct 2026, 02:30 UTC (03:30 local)"


def test_a_deadline_across_a_clock_change_has_the_hours_left_that_pass() -> None:
    words = words_of("en", "Europe/Belgrade")
    evening, morning = datetime(2026, 10, 24, 22, 0, tzinfo=UTC), datetime(2026, 10, 25, 4, 0, tzinfo=UTC)

    assert (words.local_clock(evening), words.local_clock(morning)) == ("00:00", "05:00")
    assert words.left(morning - evening) == "6 h 0 min left"


def test_a_place_that_keeps_utc_is_shown_one_time() -> None:
    assert words_of("en").moment(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)) == "2 Jan 2026, 03:04 UTC"
    assert words_of("en", "Europe/London").moment(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)) == "2 Jan 2026, 03:04 UTC"


@pytest.mark.parametrize(
    ("minutes", "ago", "left"),
    [
        (0.5, "just now", "0 min left"),
        (6, "6 min ago", "6 min left"),
        (95, "1 h 35 min ago", "1 h 35 min left"),
        (51 * 60, "2 d 3 h ago", "2 d 3 h left"),
        (-3, "just now", "3 min overdue"),
    ],
)
def test_spans_are_said_to_the_minute(minutes: float, ago: str, left: str) -> None:
    words, span = words_of("en"), timedelta(minutes=minutes)

    assert (words.ago(span), words.left(span)) == (ago, left)


def test_values_stand_where_the_translation_has_them() -> None:
    assert words_of("hu").text("{time} ago", time="6 perc") == "6 perc telt el"
    assert words_of("en").count("{n} alert of {total}", "{n} alerts of {total}", 1200, total=3) == "1,200 alerts of 3"
    assert words_of("en").count("{n} alert", "{n} alerts", 1) == "1 alert"


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("hr", ["1 poruka", "2 poruke", "5 poruka", "21 poruka", "22 poruke"]),
        ("cnr", ["1 poruka", "2 poruke", "5 poruka", "21 poruka", "22 poruke"]),
        ("mk", ["1 порака", "2 пораки", "5 пораки", "21 порака", "22 пораки"]),
        ("ro", ["1 mesaj", "2 mesaje", "5 mesaje", "21 de mesaje", "22 de mesaje"]),
        ("hu", ["1 üzenet", "2 üzenet", "5 üzenet", "21 üzenet", "22 üzenet"]),
    ],
)
def test_numbers_take_the_form_that_the_language_has_for_them(tag: str, said: list[str]) -> None:
    words = words_of(tag)

    assert [words.count("{n} message", "{n} messages", n) for n in (1, 2, 5, 21, 22)] == said


def test_a_sentence_that_no_catalogue_has_is_said_in_english() -> None:
    assert words_of("mk").text("No such sentence") == "No such sentence"


@pytest.mark.parametrize("tag", [language.tag for language in LANGUAGES])
def test_kosovo_keeps_its_asterisk_and_its_note_in_every_language(tag: str) -> None:
    words = words_of(tag)

    assert words.country("XK").endswith("*")
    assert words.kosovo_note.startswith("* ")
    assert "1244" in words.kosovo_note


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("bg", "Северна Македония"),
        ("cnr", "Sjeverna Makedonija"),
        ("en", "North Macedonia"),
        ("hu", "Észak-Macedónia"),
        ("mk", "Северна Македонија"),
        ("sq", "Maqedonia e Veriut"),
        ("sr", "Северна Македонија"),
        ("sr-Latn", "Severna Makedonija"),
    ],
)
def test_countries_have_the_names_of_the_readers_language(tag: str, name: str) -> None:
    assert words_of(tag).country("MK") == name


def test_what_a_newer_version_brings_is_shown_as_it_is() -> None:
    words = words_of("ro")

    assert words.code("severity", "apocalyptic") == "apocalyptic"
    assert words.code("age_band", "18-20") == "18-20"
    assert words.country("QZ") == "QZ"
    assert words.language_name("xyz") == "xyz"


@pytest.mark.parametrize(
    ("tag", "named"),
    [("hr", "hrvatski"), ("sr", "srpski"), ("sr-Latn", "srpski (latinica)"), ("cnr", "crnogorski")],
)
def test_the_language_of_free_text_is_named(tag: str, named: str) -> None:
    assert words_of("hr").language_name(tag) == named


def test_numbers_are_grouped_as_the_language_does() -> None:
    words = words_of("hr")

    assert (words.number(12345.5), words.percent(0.4)) == ("12.345,5", "40\N{NO-BREAK SPACE}%")


def test_templates_have_the_names_that_the_extraction_looks_for() -> None:
    assert {"_", "count", "code", "country", "moment", "day", "ago", "left"} <= set(words_of("en").in_templates())


@pytest.mark.parametrize(
    ("tag", "zone", "code", "names"),
    [("de", "UTC", "E_LANGUAGE", "language"), ("en", "Europe/Atlantis", "E_TIME_ZONE", "time_zone")]
    + [("en", zone, "E_TIME_ZONE", "time_zone") for zone in ("", "../../etc/passwd", "/etc/passwd", "Europe")],
)
def test_a_language_or_zone_that_is_none_is_refused_by_name(tag: str, zone: str, code: str, names: str) -> None:
    with pytest.raises(BadInputError, match=rf"^{names}: ") as refused:
        words_of(tag, zone)

    assert refused.value.code == code
