"""A counterpart country: its contact points on one way to the broker, and what is told of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

from bridge.core.broker_names import relay_account, router_account
from bridge.core.directory import Directory
from bridge.core.errors import BridgeError
from bridge.core.ids import prefix_of
from bridge.core.verification import HELD_CODES
from bridge.counterparts.counterpart import Counterpart, Judged
from bridge.counterparts.identity import desk_from
from bridge.counterparts.line import Accounts, Arrival, Line, open_line
from bridge.counterparts.making import Made, Maker
from bridge.private_files import read_private_line
from bridge.sandbox import alert
from bridge.sandbox.plan import script_of

Tell = Callable[[Mapping[str, object]], None]

ANSWERS: Final = frozenset({"receipt", "acknowledgement"})
HELD_LOOKS: Final = 10
HELD_SECONDS: Final = 0.5
NOT_RECIPIENT: Final = "E_NOT_RECIPIENT"


@dataclass(frozen=True, slots=True)
class ToldLine(Line):
    """A line, and who is told what goes out on it."""

    told: Callable[[Made], None]

    async def publish(self, made: Made) -> None:
        """As `Line.publish`."""
        await Line.publish(self, made)
        self.told(made)


@dataclass(frozen=True, slots=True)
class Country:
    """One country's contact points."""

    counterparts: Sequence[Counterpart]
    line: Line
    tell: Tell

    async def live(self) -> None:
        """Takes what arrives, until cancelled."""
        while True:
            await self.take(await self.line.arrivals.get())

    async def take(self, arrival: Arrival) -> None:
        """One arrival, by everybody here whom it is for."""
        judged = await self._judged(arrival)
        meant = [(one, what) for one, what in judged if what.code != NOT_RECIPIENT] or judged[:1]
        for one, what in meant:
            self.tell(_event(one.id, what))
            try:
                await one.script.react(one, what)
            except BridgeError as error:
                self.tell({"event": "failed", "contact_point": one.id, "code": error.code})
        await arrival.acknowledge()

    async def _judged(self, arrival: Arrival) -> Sequence[tuple[Counterpart, Judged]]:
        """The verdicts; whoever was admitted a moment ago may be ahead of our list, which is then waited for."""
        for _ in range(HELD_LOOKS):
            judged = [(one, one.judge(arrival)) for one in self.counterparts]
            if not any(what.code in HELD_CODES for _, what in judged):
                return judged
            await asyncio.sleep(HELD_SECONDS)
        return judged

    def follow(self, directory: Directory) -> None:
        """Goes by a newer membership list."""
        for one in self.counterparts:
            one.maker = replace(one.maker, directory=directory)

    async def send_alert(self, to: str) -> None:
        """An exercise alert of the first contact point's own."""
        first = self.counterparts[0]
        payload = first.maker.payload(alert.KIND, to, status=alert.STATUS)
        origin, target = prefix_of(first.id).upper(), prefix_of(to).upper()
        body = {"thread": payload["id"], "references": [], **alert.body(origin, target)}
        await first.send(first.maker.sealed(payload, body))


@asynccontextmanager
async def in_country(
    folder: Path, scripts: Mapping[str, str], directory: Directory, *, epoch: int, broker: tuple[str, int], tell: Tell
) -> AsyncIterator[Country]:
    """A country whose contact points (-> script) have their keys in `folder`, for as long as the block lasts.

    Raises:
        UnavailableError: keys or passwords cannot be read, or the broker not be reached.
    """
    prefix = prefix_of(next(iter(scripts)))
    accounts = (relay_account(prefix), router_account(prefix))
    relay, router = (account_url(one, password(folder, one), broker) for one in accounts)
    async with open_line(Accounts(relay, router), prefix) as line:
        told = ToldLine(
            **{one.name: getattr(line, one.name) for one in fields(Line)}, told=lambda made: tell(_out(made))
        )
        counterparts = [
            Counterpart(Maker(desk_from(folder / "keys" / one, one), directory, epoch), told, script_of(script))
            for one, script in scripts.items()
        ]
        yield Country(counterparts, told, tell)


def password(folder: Path, account: str) -> str:
    """The password of a broker account in a node's folder."""
    return read_private_line(folder / "secrets" / f"{account}.password")


def account_url(account: str, secret: str, broker: tuple[str, int]) -> str:
    """The AMQP URL of an account; passwords are base64url, names small letters."""
    host, port = broker
    return f"amqp://{account}:{secret}@{host}:{port}/%2F"


def _event(contact_point: str, judged: Judged) -> Mapping[str, object]:
    told: dict[str, object] = {"event": "refused" if judged.code else "received", "contact_point": contact_point}
    if judged.message is not None:
        payload = judged.message.payload
        told |= {"from": payload.sender, "id": payload.id, "kind": payload.kind}
    if judged.code is not None:
        told |= {"code": judged.code, "step": judged.step}
    return told | ({"duplicate": True} if judged.is_duplicate else {})


def _out(made: Made) -> Mapping[str, object]:
    event = "answered" if made.kind in ANSWERS else "sent"
    return {"event": event, "contact_point": made.sender, "id": made.id, "kind": made.kind}
