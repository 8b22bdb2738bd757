"""What `quarantine replay`, `return` and `drop` have in common: pick, say what would be done, ask, do, tell.

Nothing is done before everything that is meant is there and somebody has said yes; without a terminal that takes
`--yes`. Ctrl-C stops behind the batch in work: what was done is done, the rest is as it was.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import typer

from bridge.app.quarantine.picking import CAME_WITHOUT_BYTES, Done, Fate, Selection, codes_of, pick
from bridge.cli.options import officer_or_login, on_node
from bridge.cli.output import emit, say, table
from bridge.compose.node import Node
from bridge.compose.working_quarantine import NodeQuarantine
from bridge.core.errors import BadInputError, RefusedError
from bridge.ports.store.records import Quarantined

ROUTER: Final = "router"  # how the holder is called that is no contact point
PROGRESS_SECONDS: Final = 1.0
LISTED: Final = 20  # of many that are told to people, each with its sentence

_PAST: Final = {"replay": "replayed", "return": "returned", "drop": "dropped"}
_PROSE: Final[Mapping[Fate, str]] = {
    Fate.ACCEPTED: "accepted",
    Fate.DUPLICATE: "here already",
    Fate.HANDED_ON: "handed on to the contact points",
    Fate.HELD: "held, to be verified again by itself",
    Fate.REFUSED: "refused again",
    Fate.RETURNED: "returned",
    Fate.DROPPED: "dropped",
    Fate.IMPOSSIBLE: "not possible",
}


@dataclass(frozen=True, slots=True)
class Work:
    """What somebody wants done, as the options say it."""

    verb: Literal["replay", "return", "drop"]
    ids: Sequence[str] | None
    every: bool
    code: str | None
    holder: str | None
    yes: bool
    dry_run: bool
    officer: str | None
    why: str | None = None

    @property
    def actor(self) -> str:
        """In whose name it is done."""
        return officer_or_login(self.officer)


def work_on(config: Path, work: Work, *, as_json: bool) -> None:
    """Does it and answers; exit status 3 when something could not be done."""
    _check(work)

    async def run(node: Node) -> tuple[Sequence[Quarantined], Sequence[Done] | None]:
        items = await pick(node.store, _selection(work))
        if not items and work.holder is not None:
            _check_holder(work.holder, node)
        if not _is_agreed(work, items):
            return items, None
        return items, await _do(node, work, items) if items else []

    items, done = on_node(config, run)
    emit(_answer(work, items, done), as_json=as_json, text=lambda: _text(work, items, done))
    if any(one.fate is Fate.IMPOSSIBLE for one in done or ()):
        raise typer.Exit(RefusedError.exit_status)


def _check(work: Work) -> None:
    if bool(work.ids) == work.every:
        found = "both ids and --all" if work.every else "neither an id nor --all"
        raise BadInputError("E_USAGE", f"found {found}, expected one of the two")
    if not work.every and (work.code or work.holder):
        raise BadInputError("E_USAGE", "--reason and --holder go with --all")
    if work.yes and work.dry_run:
        raise BadInputError("E_USAGE", "found both --yes and --dry-run, expected one of the two")


def _selection(work: Work) -> Selection:
    holders = None if work.holder is None else [None if work.holder == ROUTER else work.holder]
    return Selection(ids=work.ids if not work.every else None, code=work.code, holders=holders)


def _check_holder(holder: str, node: Node) -> None:
    """A misspelt holder must not look like an empty quarantine."""
    if holder != ROUTER and holder not in node.hosted:
        raise BadInputError("E_CONTACT_POINT", f"--holder: {holder} is neither {ROUTER} nor hosted here")


def _is_agreed(work: Work, items: Sequence[Quarantined]) -> bool:
    """Says what would be done; whether it is to be done."""
    say(_intention(work, items))
    if work.dry_run or not items:
        return not work.dry_run
    if work.yes:
        return True
    if not sys.stdin.isatty():
        say("nothing was done: without a terminal it takes --yes")
        return False
    if work.verb == "drop" and work.every and work.code is None:
        answer = typer.prompt("They cannot be brought back. Type their number to destroy them all", err=True)
        agreed = str(answer).strip() == str(len(items))
    else:
        agreed = typer.confirm(f"{work.verb.capitalize()} {len(items)}?", err=True)
    if not agreed:
        raise RefusedError("E_NOT_CONFIRMED", "nothing was done")
    return True


def _intention(work: Work, items: Sequence[Quarantined]) -> str:
    if not items:
        return f"nothing to {work.verb}"
    counted = ", ".join(f"{code} {count}" for code, count in codes_of(items).items())
    without = sum(not item.has_bytes for item in items)
    also = f"; not possible for {without}: {CAME_WITHOUT_BYTES}" if without and work.verb != "drop" else ""
    return f"would {work.verb} {len(items)}: {counted}{also}"


async def _do(node: Node, work: Work, items: Sequence[Quarantined]) -> Sequence[Done]:
    progress = _Progress(_PAST[work.verb], len(items))
    working = NodeQuarantine(node)
    done = await working.do(work.verb, items, actor=work.actor, why=work.why, progress=progress.note)
    if work.verb == "drop" and not await node.store.sweep_erased():
        say("the database's log could not be swept now, because somebody reads; it sweeps itself when they are done")
    return done


@dataclass(slots=True)
class _Progress:
    """Says now and then, on stderr, how far long work has come."""

    past: str
    total: int
    _done: int = 0
    _said_at: float = field(default_factory=time.monotonic)

    def note(self, more: int) -> None:
        self._done += more
        if time.monotonic() - self._said_at >= PROGRESS_SECONDS:
            self._said_at = time.monotonic()
            say(f"{self.past} {self._done} of {self.total}")


def _answer(work: Work, items: Sequence[Quarantined], done: Sequence[Done] | None) -> Mapping[str, object]:
    """`counts` is by outcome, `codes` by the codes that the items had before."""
    if done is None:
        outcome = f"would_{work.verb}"
        told = [{"id": item.id, "outcome": outcome, "code": item.code} for item in items]
        counts = {outcome: len(items)} if items else {}
    else:
        told = [_told(one) for one in done]
        counts = dict(Counter(one.fate.value for one in done))
    return {"items": told, "counts": counts, "codes": codes_of(items), "dry_run": done is None}


def _told(one: Done) -> dict[str, str]:
    told = {"id": one.id, "outcome": one.fate.value, "code": one.code, "detail": one.detail}
    return {name: value for name, value in told.items() if value is not None}


def _text(work: Work, items: Sequence[Quarantined], done: Sequence[Done] | None) -> str:
    if done is None:
        return f"dry run: {len(items)} of them, nothing was done"
    if not done:
        return "nothing was done"
    counted = Counter(one.fate for one in done)
    lines = [", ".join(f"{_PROSE[fate]}: {counted[fate]}" for fate in Fate if counted[fate])]
    worth_telling = [one for one in done if one.fate in (Fate.IMPOSSIBLE, Fate.REFUSED)]
    if worth_telling:
        rows = [[one.id, _PROSE[one.fate], one.code, one.detail] for one in worth_telling[:LISTED]]
        lines.append(table(("id", "outcome", "code", "why"), rows))
    if len(worth_telling) > LISTED:
        lines.append(f"and {len(worth_telling) - LISTED} more; --json names each")
    if work.verb == "return" and counted[Fate.RETURNED]:
        lines.append("the reports are in the outbox")
    return "\n".join(lines)
