"""What the pages say, in one language and one time zone.

Sentences are formatted after they are translated, and answered as plain text: templates escape the whole. Every time is
shown in UTC and beside it in the zone of the contact point, so that nobody has to reckon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from gettext import NullTranslations
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from bridge.console.language.catalogues import catalogue_of
from bridge.console.language.codes import LABELS
from bridge.console.language.languages import LANGUAGES, SOURCE, Language
from bridge.core.countries import COUNTRY_CODES, KOSOVO_NOTE, country_name
from bridge.core.errors import BadInputError

_HOUR: Final = 60
_DAY: Final = 24 * _HOUR
_GROUPED: Final = 1000


def marked(sentence: str) -> str:
    """The sentence itself, where it stands in a table: `scripts/catalogues.py` finds it, `Words.text` says it later."""
    return sentence


@dataclass(frozen=True)
class Words:
    """Everything the pages say, for a reader of one language in one time zone."""

    language: Language
    zone: ZoneInfo

    @property
    def tag(self) -> str:
        """The language's tag, for HTML's `lang`."""
        return self.language.tag

    @cached_property
    def _locale(self) -> Locale:
        return Locale.parse(self.language.locale)

    @cached_property
    def _catalogue(self) -> NullTranslations:
        return catalogue_of(self.tag)

    def in_templates(self) -> Mapping[str, object]:
        """The names that templates use: `_`, `count`, `code` and the others, and `words` itself."""
        said: tuple[Callable[..., str], ...] = (
            self.count,
            self.code,
            self.country,
            self.language_name,
            self.number,
            self.percent,
            self.moment,
            self.clock,
            self.local_clock,
            self.day,
            self.span,
            self.ago,
            self.left,
        )
        return {"_": self.text, "words": self} | {say.__name__: say for say in said}

    def text(self, sentence: str, /, **values: object) -> str:
        """The sentence, with the values for the names in its braces."""
        return self._catalogue.gettext(sentence).format(**values)

    def count(self, one: str, many: str, n: int, /, **values: object) -> str:
        """The sentence in the form for `n`; `{n}` in it is the number."""
        return self._catalogue.ngettext(one, many, n).format(n=self.number(n), **values)

    def code(self, code_list: str, code: str) -> str:
        """A code's label; a code of a newer version as it is."""
        label = LABELS[code_list].get(code)
        return code if label is None else self._catalogue.pgettext(code_list, label)

    def country(self, code: str) -> str:
        """A country's short name; a code of a newer version as it is. Where Kosovo* stands, show `kosovo_note`."""
        if self.tag == SOURCE or code not in COUNTRY_CODES:
            return country_name(code)
        name = self._locale.territories[code]
        return f"{name}*" if code == "XK" else name

    @property
    def kosovo_note(self) -> str:
        """The note that belongs to the asterisk of Kosovo*."""
        return self._catalogue.gettext(KOSOVO_NOTE)

    def language_name(self, tag: str) -> str:
        """The name of a language, for beside free text; a tag that has none as it is."""
        if tag in LABELS["language"]:
            return self.code("language", tag)
        main, _, script = tag.partition("-")
        name = self._locale.languages.get(main, tag)
        return f"{name} ({self._locale.scripts[script]})" if script in self._locale.scripts else name

    def number(self, value: float) -> str:
        """A number as the language groups its digits."""
        if isinstance(value, int) and abs(value) < _GROUPED:
            return str(value)  # 200 times as fast, and most numbers of a page are small
        return format_decimal(value, locale=self._locale)

    def percent(self, share: float) -> str:
        """A share between 0 and 1 as whole percents."""
        return format_percent(share, locale=self._locale)

    def moment(self, at: datetime) -> str:
        """Day and time in UTC, and the local time in brackets, with its day where that is another one.

        In the hour that the local clock shows twice, the local time says how far from UTC it is.
        """
        utc, local = at.astimezone(UTC), at.astimezone(self.zone)
        in_utc = f"{self._date(utc)}, {utc:%H:%M}"
        said = self.text("{time} UTC", time=in_utc)
        if not local.utcoffset():
            return said
        beside = f"{local:%H:%M}" if local.date() == utc.date() else f"{self._date(local)}, {local:%H:%M}"
        if local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset():
            beside += f" UTC{local:%z}"
        return self.text("{utc} ({local} local)", utc=said, local=beside)

    def clock(self, at: datetime) -> str:
        """Hours and minutes in UTC."""
        return f"{at.astimezone(UTC):%H:%M}"

    def local_clock(self, at: datetime) -> str:
        """Hours and minutes in the zone of the contact point."""
        return f"{at.astimezone(self.zone):%H:%M}"

    def day(self, day: date) -> str:
        """A day in short; of a moment, the day in the zone of the contact point."""
        return self._date(day.astimezone(self.zone) if isinstance(day, datetime) else day)

    def _date(self, day: date) -> str:
        return format_date(day, "medium", locale=self._locale)

    def span(self, length: timedelta) -> str:
        """A length of time to the minute: `6 min`, `1 h 35 min`, `2 d 3 h`."""
        minutes = int(length.total_seconds()) // 60
        if minutes < _HOUR:
            return self.text("{minutes} min", minutes=minutes)
        if minutes < _DAY:
            return self.text("{hours} h {minutes} min", hours=minutes // _HOUR, minutes=minutes % _HOUR)
        return self.text("{days} d {hours} h", days=minutes // _DAY, hours=minutes % _DAY // _HOUR)

    def ago(self, age: timedelta) -> str:
        """How long ago something was; what seems to lie ahead, by a clock that is a little behind, is just now."""
        return self.text("just now") if age < timedelta(minutes=1) else self.text("{time} ago", time=self.span(age))

    def left(self, remaining: timedelta) -> str:
        """How much time is left until a deadline, or by how much it has passed."""
        if remaining < timedelta():
            return self.text("{time} overdue", time=self.span(-remaining))
        return self.text("{time} left", time=self.span(remaining))


@lru_cache(maxsize=64)
def words_of(tag: str, zone: str = "UTC") -> Words:
    """The words of a language, with local times of a zone of the IANA database (`Europe/Belgrade`).

    Raises:
        BadInputError: no such language (`E_LANGUAGE`) or zone (`E_TIME_ZONE`).
    """
    language = next((language for language in LANGUAGES if language.tag == tag), None)
    if language is None:
        expected = ", ".join(language.tag for language in LANGUAGES)
        raise BadInputError("E_LANGUAGE", f"language: found {tag}, expected one of {expected}")
    try:
        return Words(language, ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        sentence = f"time_zone: found {zone}, expected a name like Europe/Belgrade"
        raise BadInputError("E_TIME_ZONE", sentence) from None
