import pytest

from bridge.console.language import choose_language


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("sr-RS,sr;q=0.9,en;q=0.8", "sr"),
        ("sr-Cyrl-BA", "sr"),
        ("sr-Latn-RS", "sr-Latn"),
        ("SH", "sr-Latn"),
        ("sr-ME", "cnr"),
        ("de, hu;q=0.5, ro;q=0.7", "ro"),
        ("bg;q=0, mk;q=0.1", "mk"),
        ("de-AT, fr", "en"),
        ("*", "en"),
        ("hr;q=high, sq;q=0.2", "sq"),
        ("hr;q=nan", "en"),
        (";;;,,,=", "en"),
        ("x" * 100_000, "en"),
        ("-" * 100_000, "en"),
        ("de," * 100_000 + "hr", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_a_browser_gets_the_language_it_wants_most_of_those_there_are(header: str | None, tag: str) -> None:
    assert choose_language(None, header).tag == tag


def test_a_persons_own_choice_goes_before_the_browsers() -> None:
    assert choose_language("sq", "hr").tag == "sq"


def test_a_choice_that_is_none_is_passed_over() -> None:
    assert choose_language("tlh", "hr").tag == "hr"
