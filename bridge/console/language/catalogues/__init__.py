"""The catalogues, `<tag>.po` beside this file: read when a language is first used, and then kept.

A message without a translation is read in English.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

_REVIEWED: Final = '"X-Reviewed-By-Native-Speaker: yes\\n"'


@cache
def catalogue_of(tag: str) -> NullTranslations:
    """The catalogue of one language; where there is no file, the English sentences themselves."""
    source = files(__name__) / f"{tag}.po"
    if not source.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with source.open("rb") as text:
        write_mo(compiled, read_po(text, abort_invalid=True))
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def is_reviewed(tag: str) -> bool:
    """Whether the header says that a native speaker has read this catalogue."""
    header, _, _ = (files(__name__) / f"{tag}.po").read_text(encoding="utf-8").partition("\n\n")
    return _REVIEWED in header.splitlines()
