"""Generated documents: right ones varied within the rules, and right ones bent without regard to any rule."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st
from message_samples import (
    ALERTS,
    CONTROL,
    DIGEST,
    EARLIER,
    REFERENCE,
    SEALED,
    Document,
    alert_file,
    control_member,
    full_body,
    small_body,
)
from verdicts import FILE

from bridge.core.vocabulary import CODE_LISTS

Place = tuple[Any, Any]
"""A container and the key or index of one thing in it."""

CODES = st.sampled_from(sorted({code for name, codes in CODE_LISTS.items() for code in codes}))
TIMES = st.sampled_from(
    [
        *["2026-11-20T00:00:00Z", "2026-11-23T18:40:01.234Z", "2026-12-24T23:59:59.999Z", "2027-05-22T18:40:01.234Z"],
        *["2027-05-22T18:40:01.235Z", "2028-02-29T00:00:00Z", "2027-02-29T00:00:00Z", "2026-11-20T24:00:00Z"],
        *["2026-11-20t00:00:00z", "2026-11-20T00:00:00.12Z", "2026-11-20T00:00:00+00:00", "0999-01-01T00:00:00Z"],
        *["2026-11-20T00:00:60Z", "2016-12-31T23:59:60Z", "2026-11-20T00:00:00Z\n", " 2026-11-20T00:00:00Z"],
    ]
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["", " ", "\n", "\t", "\x00", "\x7f", "\x9f", "\u2028", "\U0001f690", "a" * 60, "a" * 61, "a" * 200, "a" * 501]
)
NAMES = st.sampled_from(["RS", "rs", "HU", "XK", "UK", "en", "sr-Latn", "sr_Latn", "rs.ncp", "rs.", DIGEST, EARLIER])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 1001)
    | st.sampled_from([2**53 - 1, 2**53, -(2**53)])
    | TEXTS
    | NAMES
    | CODES
    | TIMES
)
JUNK = (
    SCALARS
    | st.lists(SCALARS, max_size=3)
    | st.lists(CODES, max_size=3)
    | st.dictionaries(TEXTS | NAMES, SCALARS, max_size=2)
    | st.sampled_from([REFERENCE, [REFERENCE], [REFERENCE, REFERENCE], {"country": "RS"}, ["H3"], [], {}])
)
MEMBERS = st.sampled_from(
    [
        *["handling", "handling_note", "classification", "means", "victims", "labour_sector", "redirect_to", "note"],
        *["code", "void", "supersedes", "thread", "expires", "request", "child_involved", "roles", "expected_to", "x"],
    ]
)
COUNTRIES = ("RS", "HU", "XK", "AL", "MK")
BENDINGS = ("alike", "alike", "drop", "replace", "replace", "rename", "again", "reverse", "add", "other_code")


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, Document]:
    """(name of its schema, document); three in four are bent at one to three places."""
    name = draw(st.sampled_from([*SEALED, *SEALED[:2], *SEALED[:2], *CONTROL, FILE, FILE]))
    if name == FILE:
        document = alert_file(draw(st.sampled_from(ALERTS)), full=draw(st.booleans()))
    elif name in CONTROL:
        document = control_member(name)
    else:
        document = draw(st.sampled_from([full_body, small_body]))(name)
    vary(draw, document)
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        bend(draw, document)
    return name, document


def vary(draw: st.DrawFn, document: Document) -> None:
    """Puts other words of the same sort in up to three places, which keeps many documents right."""
    for container, key in draw(st.lists(st.sampled_from(places(document)), max_size=3)):
        container[key] = draw(alike(container[key]))


def alike(value: object) -> st.SearchStrategy[object]:
    """Values of the sort of this one: a code of its list, a country, a time; else the value itself."""
    if not isinstance(value, str):
        return st.just(value)
    if value in COUNTRIES:
        return st.sampled_from(COUNTRIES)
    if value.endswith("Z") and value.startswith("20"):
        return TIMES
    return next((st.sampled_from(codes) for codes in CODE_LISTS.values() if value in codes), st.just(value))


def bend(draw: st.DrawFn, document: Document) -> None:
    """One change somewhere, made without regard to any rule."""
    container, key = draw(st.sampled_from(places(document)))
    bending = draw(st.sampled_from(BENDINGS))
    if bending == "drop":
        del container[key]
    elif bending == "again" and isinstance(container, list):
        container.append(container[key])
    elif bending == "reverse" and isinstance(container, list):
        container.reverse()
    elif bending == "rename" and isinstance(container, dict):
        container[draw(MEMBERS | TEXTS)] = container.pop(key)
    elif bending == "add" and isinstance(container, dict):
        container[draw(MEMBERS)] = copy.deepcopy(draw(JUNK))
    elif bending == "alike":
        container[key] = draw(alike(container[key]))
    elif bending == "other_code":
        container[key] = draw(CODES)
    else:
        container[key] = copy.deepcopy(draw(JUNK))


def places(value: object) -> list[Place]:
    """Every place in a document, those of its objects and lists included; never none."""
    found: list[Place] = []
    items = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for key, item in items:
        found.append((value, key))
        found += places(item)
    return found
