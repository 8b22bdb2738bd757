"""Which language a person reads: their own choice, else what their browser asks for, else English."""

from __future__ import annotations

from typing import Final

from bridge.console.language.languages import LANGUAGES, SOURCE, Language

_MOST_RANGES: Final = 20
_LONGEST_TAG: Final = 35  # RFC 5646 4.4.1
_BY_TAG: Final = {language.tag.lower(): language for language in LANGUAGES}
_OTHER_TAGS: Final = {"sh": "sr-latn", "mo": "ro", "sr-me": "cnr", "sr-latn-me": "cnr"}
"""Older tags and the ones browsers have for Montenegrin."""


def choose_language(own: str | None, accept_language: str | None) -> Language:
    """The language to show.

    Args:
        own: the tag that the person chose earlier; one that is none of ours is passed over.
        accept_language: the header of that name (RFC 9110 12.5.4); what cannot be read in it is passed over.
    """
    wanted = [own or "", *_ranges(accept_language or "")]
    found = (_nearest(tag) for tag in wanted)
    return next((language for language in found if language is not None), _BY_TAG[SOURCE])


def _nearest(tag: str) -> Language | None:
    """The language of a tag, or of the tag without its last parts (RFC 4647 lookup): `sr-Latn-RS` is `sr-Latn`."""
    parts = tag.strip().lower()[:_LONGEST_TAG].split("-")
    for length in range(len(parts), 0, -1):
        shortened = "-".join(parts[:length])
        language = _BY_TAG.get(_OTHER_TAGS.get(shortened, shortened))
        if language is not None:
            return language
    return None


def _ranges(header: str) -> list[str]:
    """The tags of the header, the most wanted first; those with a weight of zero are left out."""
    weighted = [_weighted(entry) for entry in header.split(",")[:_MOST_RANGES]]
    return [tag for tag, weight in sorted(weighted, key=lambda pair: -pair[1]) if weight > 0]


def _weighted(entry: str) -> tuple[str, float]:
    tag, _, weight = entry.partition(";")
    name, _, value = weight.strip().partition("=")
    if name.lower() != "q":
        return tag, 1.0
    try:
        return tag, float(value)
    except ValueError:
        return tag, 0.0
