"""A change of a network for people and as JSON, and the question before it is signed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

import typer

from bridge.app.network_standing import Tally
from bridge.app.network_words import changes
from bridge.cli.output import table
from bridge.core.countries import KOSOVO_NOTE
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.times import format_time
from bridge.founding.ceremony import Travelling


def change_data(travelling: Travelling) -> Mapping[str, object]:
    """The change as JSON: what is different, and who has signed."""
    review = travelling.review
    return {
        "network": review.after.network,
        "version": travelling.found.directory.version if travelling.found else 0,
        "root_sha256": travelling.root_sha256,
        "changes": [{"who": list(one.who), "what": one.what} for one in changes(review.before, review.after)],
        "signatures": [
            {
                "role": tally.role,
                "present_holders": tally.present,
                "version": tally.version,
                "expires": format_time(tally.expires),
                "threshold": tally.threshold,
                "signed": list(tally.signed),
                "unsigned": list(tally.unsigned),
                "missing": tally.missing,
            }
            for tally in review.tallies
        ],
        "complete": is_complete(travelling),
    }


def change_text(travelling: Travelling) -> str:
    """The change in words: what is different, and who has signed."""
    review, found = travelling.review, travelling.found
    start = f"starts from version {found.directory.version}" if found else "founds it"
    lines = [f"network {review.after.network}: this {start}"]
    if travelling.root_sha256 is not None:
        lines.append(f"compared with the list under the first root with SHA-256 {travelling.root_sha256}")
    lines += ["", *_words(travelling), "", *_signatures(travelling)]
    lines += ["", KOSOVO_NOTE] if "XK" in {*review.after.countries} else []
    return "\n".join(lines)


def is_complete(travelling: Travelling) -> bool:
    """Whether enough have signed."""
    return not any(tally.missing for tally in travelling.review.tallies)


def progress(travelling: Travelling) -> str:
    """How many signatures are missing, for each document."""
    missing = [f"{tally.missing} of {_document(tally)}" for tally in travelling.review.tallies if tally.missing]
    return f"signatures missing: {'; '.join(missing)}" if missing else "enough have signed"


def ask(question: str, *, yes: bool) -> None:
    """Goes on only when a person agreed, or `--yes` says so.

    Raises:
        BadInputError: nobody can be asked (`E_USAGE`).
        RefusedError: the answer is no (`E_NOT_CONFIRMED`).
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadInputError("E_USAGE", "without a terminal it takes --yes; nothing was changed")
    if not typer.confirm(question, err=True):
        raise RefusedError("E_NOT_CONFIRMED", "nothing was changed")


def _words(travelling: Travelling) -> Iterator[str]:
    found = changes(travelling.review.before, travelling.review.after)
    everybody = travelling.review.after.contact_points.keys()
    by_who: dict[tuple[str, ...], list[str]] = {}
    for one in found:
        by_who.setdefault(one.who, []).append(one.what)
    for who, whats in by_who.items():
        yield f"all {len(who)} contact points" if len(who) > 1 and set(who) == everybody else ", ".join(who)
        yield from (f"    {what}" for what in whats)
    if not found:
        yield "nothing is different; what holds is signed for longer"


def _signatures(travelling: Travelling) -> Iterator[str]:
    rows = [
        (
            _document(tally),
            tally.version,
            format_time(tally.expires)[:10],
            f"{len(tally.signed)} of {tally.threshold}",
            "; ".join(tally.signed) or "nobody",
            "; ".join(tally.unsigned) or "nobody",
        )
        for tally in travelling.review.tallies
    ]
    yield table(("document", "version", "holds until", "signatures", "signed by", "not by"), rows)
    yield progress(travelling)


def _document(tally: Tally) -> str:
    return f"{tally.role}, present holders" if tally.present else tally.role
