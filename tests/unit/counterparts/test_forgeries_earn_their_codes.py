"""Every forgery gets past each step before its own, and is refused there with its code; what is honest is accepted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from forging.wire_forge import contact_point

from bridge.core.directory import Directory
from bridge.core.verification import Hints
from bridge.counterparts.counterpart import Counterpart, Memory
from bridge.counterparts.forgeries import FORGERIES, Forgery, Workshop
from bridge.counterparts.identity import made_desk
from bridge.counterparts.making import Maker
from bridge.counterparts.scripts import Never

if TYPE_CHECKING:
    from bridge.counterparts.making import Made

IDS = ("rs.ncp", "at.ncp", "hu.ncp")


def arrival(made: Made) -> Any:  # noqa: ANN401 - a delivery without a broker
    hints = Hints(
        made.correlation_id or made.id, made.type or made.kind, made.app_id or made.sender, made.routing_key,
        copied=bool(made.headers),
    )  # fmt: skip
    return SimpleNamespace(wire_bytes=made.wire_bytes, hints=hints)


@pytest.fixture(scope="module")
def world() -> tuple[Workshop, Counterpart]:
    now = datetime.now(UTC)
    desks = {each: made_desk(each, at=now) for each in IDS}
    signing = {listed[0].kid: listed[0] for _, listed in desks.values()}
    stolen = desks["rs.ncp"][0].keys.make("rs.ncp#sig-stolen")
    signing["rs.ncp#sig-stolen"] = replace(
        signing["rs.ncp#sig-made"], kid="rs.ncp#sig-stolen", point=stolen, revoked_at=now
    )
    directory = Directory(
        network="see",
        version=7,
        signed_at=now - timedelta(hours=1),
        contact_points={each: contact_point(each) for each in IDS},
        signing_keys=signing,
        encryption_keys={listed[1].kid: listed[1] for _, listed in desks.values()},
    )
    maker = Maker(desks["rs.ncp"][0], directory)
    first = maker.sealed(maker.payload("route_alert", "at.ncp"))
    austria = Counterpart(Maker(desks["at.ncp"][0], directory), None, Never(), Memory())  # type: ignore[arg-type]
    judged = austria.judge(arrival(first))
    assert judged.code is None
    assert judged.verified is not None
    austria.memory.keep(judged.verified)
    body = maker.body(maker.payload("route_alert", "at.ncp"))
    del body["thread"], body["references"]
    return Workshop(maker, "at.ncp", "hu.ncp", body, first), austria


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_a_forgery_is_refused_at_its_step_with_its_code(world: tuple[Workshop, Counterpart], forgery: Forgery) -> None:
    shop, victim = world

    made = forgery.make(shop)

    assert made is not None
    judged = victim.judge(arrival(made))
    assert (judged.step, judged.code) == (forgery.step, forgery.code)


def test_names_are_unique_and_steps_in_order() -> None:
    assert len({forgery.name for forgery in FORGERIES}) == len(FORGERIES)
    assert [forgery.step for forgery in FORGERIES] == sorted(forgery.step for forgery in FORGERIES)


@pytest.mark.parametrize("kind", ["route_alert", "alert_update", "alert_cancel"])
def test_an_honest_message_of_each_kind_is_accepted(world: tuple[Workshop, Counterpart], kind: str) -> None:
    shop, victim = world
    payload = shop.payload(kind)
    more: dict[str, Any] = {}
    if kind != "route_alert":
        more = {"supersedes": shop.known.reference, "thread": shop.known.thread, "references": [shop.known.reference]}
        more |= {"change_summary": "By night"} if kind == "alert_update" else {"reason": "disrupted"}

    judged = victim.judge(arrival(shop.maker.sealed(payload, shop.maker.body(payload, **more))))

    assert judged.code is None
    assert judged.verified is not None


def test_a_receipt_and_an_acknowledgement_are_what_the_sender_accepts(world: tuple[Workshop, Counterpart]) -> None:
    shop, victim = world
    sent = shop.message()
    serbia = Counterpart(shop.maker, None, Never(), Memory())  # type: ignore[arg-type]
    serbia.memory.send(sent)
    judged = victim.judge(arrival(sent))
    assert judged.message is not None

    receipt = serbia.judge(arrival(victim.receipt(judged.message)))
    answer = serbia.judge(arrival(victim.acknowledgement(judged, level="accepted", officer="D. P.")))
    wrong = serbia.judge(arrival(victim.receipt(judged.message, payload_sha256="A" * 43)))

    assert receipt.control is not None
    assert receipt.code is None
    assert answer.verified is not None
    assert answer.code is None
    assert wrong.code == "E_RECEIPT"
