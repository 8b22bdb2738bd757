"""Codes, times and countries as words for people. A code that this version does not know is shown as it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bridge.core.countries import country_name
from bridge.core.vocabulary import CODE_LISTS

# Only where the code itself, with blanks for underscores, would not be understood.
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "tlp": {  # FIRST TLP 2.0
        "RED": "TLP:RED, for the named recipients only",
        "AMBER+STRICT": "TLP:AMBER+STRICT, within your own organisation, for those who need to know",
        "AMBER": "TLP:AMBER, within your organisation and its clients, for those who need to know",
        "GREEN": "TLP:GREEN, within the community, not in public",
        "CLEAR": "TLP:CLEAR, may be published",
    },
    "handling": {  # Europol handling codes
        "H0": "H0, only to prevent and combat crime",
        "H1": "H1, not in court without the sender's permission",
        "H2": "H2, no onward disclosure without the sender's permission",
        "H3": "H3, restricted as follows",
    },
    "purpose": {"prevention_detection_investigation": "prevention, detection, investigation"},
    "source_reliability": {  # Europol 4x4
        "A": "A, no doubt about the source",
        "B": "B, mostly reliable",
        "C": "C, mostly unreliable",
        "X": "X, reliability unknown",
    },
    "information_accuracy": {
        "1": "1, known to be true",
        "2": "2, known to the source itself",
        "3": "3, known to the source from others, corroborated",
        "4": "4, known to the source from others, not corroborated",
    },
    "transport_mode": {"maritime": "sea", "inland_water": "inland waterway", "not_specified": "", "not_applicable": ""},
    "conveyance": {"van_minibus": "van or minibus", "on_foot": "on foot", "unknown": ""},
    "crossing": {
        "official_regular": "through a border crossing point",
        "official_concealed": "concealed through a border crossing point",
        "green_border": "over the green border",
        "blue_border": "over the sea border",
        "airport": "through an airport",
        "internal_schengen": "over a border inside Schengen",
        "unknown": "",
    },
    "labour_sector": {  # ISIC Rev. 4 sections
        "A": "agriculture, forestry, fishing",
        "B": "mining",
        "C": "manufacturing",
        "D": "energy supply",
        "E": "water supply, waste",
        "F": "construction",
        "G": "trade, vehicle repair",
        "H": "transport, storage",
        "I": "hotels, restaurants",
        "J": "information, communication",
        "K": "finance, insurance",
        "L": "real estate",
        "M": "professional, scientific services",
        "N": "administrative and support services",
        "O": "public administration",
        "P": "education",
        "Q": "health, social work",
        "R": "arts, entertainment",
        "S": "other services",
        "T": "private households",
        "U": "international organisations",
    },
    "acknowledgement.level": {"forwarded_nationally": "forwarded nationally", "not_competent": "not competent"},
}


def word(code_list: str, code: object) -> str:
    """A code in words; one outside its list, from a newer version, as it came; nothing for none."""
    if not isinstance(code, str):
        return "" if code is None else str(code)
    if code_list == "country":
        return country_name(code)
    if code not in CODE_LISTS[code_list]:
        return code
    return _WORDS.get(code_list, {}).get(code, code.replace("_", " "))


def words(code_list: str, codes: object) -> str:
    """A list of codes in words; nothing for an empty one."""
    listed = codes if isinstance(codes, Sequence) and not isinstance(codes, str) else ()
    return ", ".join(filter(None, (word(code_list, code) for code in listed)))


def moment(time: object) -> str:
    """`2026-11-23 18:40 UTC` of an RFC 3339 time or a datetime in UTC; anything else as it is, nothing as `-`."""
    if time is None:
        return "-"
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time)
        except ValueError:
            return str(time)
    return f"{time:%Y-%m-%d %H:%M} UTC" if isinstance(time, datetime) else str(time)


def span(begin: object, end: object) -> str:
    """From when to when, as far as either is known."""
    if begin and end:
        return f"{moment(begin)} to {moment(end)}"
    if begin:
        return f"from {moment(begin)}"
    return f"until {moment(end)}" if end else ""
