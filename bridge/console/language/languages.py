"""The languages of the console and the locale whose dates, numbers and names of countries each of them uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.console.language.catalogues import is_reviewed

SOURCE: Final = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its tag as in HTML's `lang`, its name in itself, and the CLDR locale it uses."""

    tag: str
    own_name: str
    locale: str

    @property
    def reviewed(self) -> bool:
        """Whether a native speaker has read the catalogue; English is the source and counts as read."""
        return self.tag == SOURCE or is_reviewed(self.tag)


LANGUAGES: Final = (
    Language("sq", "shqip", "sq"),
    Language("bs", "bosanski", "bs_Latn"),
    Language("bg", "български", "bg"),
    # CLDR has no Montenegrin. Bosnian has its ijekavian names of countries (Njemačka, Sjeverna Makedonija) and its
    # months; CLDR's Serbian of Montenegro (sr_Latn_ME) is ekavian.
    Language("cnr", "crnogorski", "bs_Latn"),
    Language(SOURCE, "English", "en_GB"),
    Language("hr", "hrvatski", "hr"),
    Language("hu", "magyar", "hu"),
    Language("mk", "македонски", "mk"),
    Language("ro", "română", "ro"),
    Language("sr-Latn", "srpski (latinica)", "sr_Latn"),
    Language("sr", "српски (ћирилица)", "sr_Cyrl"),
)
