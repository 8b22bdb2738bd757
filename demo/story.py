"""Tells on stderr what happens while it happens.

Who published, which rule chose whom, delivered, acknowledged, refused: the last three are read from the countries'
databases, each row told once.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bridge.cli.output import printable
from demo.figures import ALERTS, rows
from demo.officers import Sent

_COLOURS: Final = {"published": "36", "delivered": "32", "acknowledged": "32;1", "refused": "31;1"}
_KINDS: Final = ", ".join(repr(kind) for kind in ALERTS)  # constants of ours, nobody's input


class Story:
    """The running account of one demonstration."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._seen: dict[str, tuple[int, int]] = {}  # country -> last row told of inbox and quarantine
        self._answered: set[tuple[object, object]] = set()
        self._slugs: dict[str, str] = {}
        self._colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")

    @property
    def seconds(self) -> float:
        """Since the demonstration began."""
        return time.monotonic() - self._begun

    def note(self, text: str) -> None:
        """A stage of the demonstration."""
        self._line("", text)

    def published(self, sent: Sent) -> None:
        """An alert is in its sender's outbox, with whom each rule chose."""
        slug = sent.sample.file.removesuffix(".json")
        self._slugs[sent.submitted.id] = slug
        draft = sent.draft
        lane = " IMMEDIATE" if draft.urgency == "immediate" else ""
        exercise = "" if draft.status == "actual" else f" {draft.status.upper()}"
        self._line("published", f"{sent.sample.sender}  {slug}{lane}{exercise}")
        for recipient in draft.plan.recipients:
            self._line("", f"    to {recipient.id:22} {recipient.rule}: {recipient.reason}")

    def tell(self, databases: Mapping[str, Path]) -> None:
        """Tells what is new in the databases."""
        for country, database in databases.items():
            inbox, refused = self._seen.get(country, (0, 0))
            for position, contact_point, message_id, sender in rows(
                database,
                f"SELECT position, contact_point, id, sender FROM inbox WHERE position > ? AND kind IN ({_KINDS})",  # noqa: S608 - constants
                (inbox,),
            ):
                self._line("delivered", f"{contact_point}  {self._slug(message_id)}  from {sender}")
                inbox = max(inbox, _whole(position))
            for position, code, step, queue, detail in rows(
                database, "SELECT position, code, step, queue, detail FROM quarantine WHERE position > ?", (refused,)
            ):
                self._line("refused", printable(f"{queue}  {code} at step {step}: {detail}"))
                refused = max(refused, _whole(position))
            self._seen[country] = (inbox, refused)
            self._tell_answers(database)

    def _tell_answers(self, database: Path) -> None:
        for message_id, recipient, level in rows(
            database,
            f"SELECT message_id, recipient, level FROM v_recipients WHERE level IS NOT NULL AND kind IN ({_KINDS})",  # noqa: S608 - constants
        ):
            if (message_id, recipient) not in self._answered:
                self._answered.add((message_id, recipient))
                self._line("acknowledged", f"{recipient}  {self._slug(message_id)}  {level}")

    def _slug(self, message_id: object) -> str:
        return self._slugs.get(str(message_id), str(message_id))

    def _line(self, verb: str, text: str) -> None:
        shown = f"{verb:12}"
        if self._colour and verb:
            shown = f"\x1b[{_COLOURS[verb]}m{shown}\x1b[0m"
        sys.stderr.write(f"{self.seconds:6.1f} s  {shown}  {text}\n")
        sys.stderr.flush()


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
