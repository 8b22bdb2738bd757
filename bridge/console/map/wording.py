"""What a map needs of a language: the console's words have it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class MapWords(Protocol):
    """Sentences and countries in the reader's language."""

    def text(self, sentence: str, /, **values: object) -> str:
        """The sentence in the language, with its values."""

    @property
    def kosovo_note(self) -> str:
        """What must stand where Kosovo* does."""

    def country(self, code: str, /) -> str:
        """A country's name."""


def notes_of(countries: Collection[str], words: MapWords) -> list[str]:
    """What stands under every map, and the note on Kosovo* where it is shown."""
    notes = [words.text("Boundaries and names shown do not imply official endorsement. Base map: Natural Earth.")]
    return [*notes, words.kosovo_note] if "XK" in countries else notes
