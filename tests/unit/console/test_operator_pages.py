"""The operator's pages over a real store: what they show, what they never show, and what is done after a count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest
from console_world import HOSTED, Browser, World, receives
from desk_samples import alert_body, desk_parts, given, received

from bridge.app.audit.chain import CheckAudit, SealAudit, chain_key
from bridge.app.checks.check_node import Check
from bridge.app.operating.overview import LookAtTraffic
from bridge.app.operating.queues import LookAtQueues
from bridge.app.quarantine.picking import Done, Fate
from bridge.compose.key_report import KeyReport
from bridge.console.live import Live
from bridge.core.directory import ContactPoint, Directory, PublicKey, Remit
from bridge.core.errors import UnavailableError
from bridge.ports.broker import QueueFigures
from bridge.ports.store.records import Quarantined, Refusal

TITLE = "White minibus to Vienna"
TIMES = "\N{MULTIPLICATION SIGN}"


class Listed:
    """A membership list with one other member."""

    def current(self) -> Directory:
        point = ContactPoint(
            id="at.ncp",
            name="Vienna",
            country="AT",
            mode="live",
            remit=Remit(national_desk=True),
            sends=frozenset(),
            receives=frozenset(),
            statuses=frozenset(),
            signature_policy=("ES256",),
        )
        nothing: MappingProxyType[str, PublicKey] = MappingProxyType({})
        listed = datetime(2026, 11, 28, tzinfo=UTC)
        return Directory("see", 7, listed, MappingProxyType({point.id: point}), nothing, nothing)


@dataclass
class Noted:
    """Does nothing, and notes what it was asked to do."""

    asked: list[tuple[str, list[str], str | None]] = field(default_factory=list)

    async def do(self, verb: str, items: Sequence[Quarantined], *, actor: str, why: str | None) -> Sequence[Done]:
        assert actor == "operator"
        self.asked.append((verb, [item.id for item in items], why))
        return [Done(item.id, Fate.REFUSED, item.code) for item in items]


async def figures() -> list[QueueFigures]:
    return [QueueFigures("inbox.rs.ncp.urgent", ready=3, consumers=1, unacknowledged=2, out_per_second=1.5)]


async def no_broker() -> list[QueueFigures]:
    raise UnavailableError("E_BROKER_UNREACHABLE", "the broker at 127.0.0.1:1 cannot be reached")


async def no_ends() -> KeyReport:
    return KeyReport(1, {}, [])


async def checks() -> list[Check]:
    return [Check("disk", ok=False, detail="no room", state="disk_full"), Check("clock", ok=True, detail="right")]


async def operator(people: World, work: Noted | None = None, role: str = "operator", **others: object) -> Browser:
    parts = desk_parts(people) | {
        "traffic": LookAtTraffic(people.store, Listed(), people.clock, HOSTED, timedelta(minutes=5)),
        "queues": LookAtQueues(people.store, people.clock, figures, is_complete=True),
        "quarantine": work or Noted(),
        "key_report": no_ends,
        "doctor": checks,
        "status": checks,
        "audit_chain": CheckAudit(people.store, chain_key(b"k" * 32)),
        "live": Live(people.store, people.clock, HOSTED, receives),
        **others,
    }
    await people.person(role)
    return Browser(people.app(**parts), await people.session(role))


async def given_refused(people: World, count: int, *, code: str = "E_JSON") -> list[str]:
    refusals = [
        Refusal(
            id=f"refused-{code}-{number}",
            code=code,
            step=2,
            detail="what stood there",
            at=people.clock.now(),
            queue="country.rs.urgent",
            contact_point=None,
            properties={"user_id": "at-relay", "type": "<script>alert(1)</script>"},
            wire_bytes=f"{code} {number}".encode(),
        )
        for number in range(count)
    ]
    async with people.store.writing() as unit:
        await unit.refusals.quarantine(refusals, quota_bytes=1 << 20)
    return [refusal.id for refusal in refusals]


@pytest.mark.parametrize("path", ["/operations", "/operations/queues", "/operations/quarantine", "/operations/checks"])
async def test_no_page_of_an_operator_has_a_word_of_a_message(people: World, path: str) -> None:
    await given(people, received(alert_body(title=TITLE)))
    browser = await operator(people)

    answer = await browser.get(path)

    assert answer.status_code == 200
    assert TITLE not in answer.text


async def test_queues_show_the_figures_and_a_broker_that_is_away_is_said(people: World) -> None:
    browser = await operator(people)
    page = (await browser.get("/operations/queues")).text
    assert "inbox.rs.ncp.urgent" in page
    assert ">1.5<" in page

    away = Browser(
        people.app(
            **desk_parts(people)
            | {
                "queues": LookAtQueues(people.store, people.clock, no_broker, is_complete=False),
                "live": Live(people.store, people.clock, HOSTED, receives),
            }
        ),
        browser.own_token,
    )
    answer = await away.get("/operations/queues")
    assert answer.status_code == 200
    assert "E_BROKER_UNREACHABLE" in answer.text


async def test_a_group_is_shown_masked_and_escaped(people: World) -> None:
    await given_refused(people, 2)
    browser = await operator(people)

    page = (await browser.get("/operations/quarantine/E_JSON")).text

    assert "at-relay" in page
    assert "<script>alert(1)" not in page
    assert "what stood there" not in page


async def test_a_count_comes_before_anything_is_done_and_what_came_since_is_not_meant(people: World) -> None:
    first = await given_refused(people, 2)
    work = Noted()
    browser = await operator(people, work)

    asked = await browser.post("/operations/quarantine/E_JSON/ask", {"verb": "replay", "which": "all"})
    assert f"2 {TIMES}" in asked.text
    assert work.asked == []
    newest = asked.text.partition('name="newest" value="')[2].partition('"')[0]
    async with people.store.writing() as unit:
        late = Refusal("late", "E_JSON", 2, "", people.clock.now(), "q", None, {}, b"late")
        await unit.refusals.quarantine([late], quota_bytes=1 << 20)
    form = {"verb": "replay", "which": "all", "newest": newest, "do": "replay"}
    done = await browser.post("/operations/quarantine/E_JSON/work", form)

    assert done.status_code == 200
    assert work.asked == [("replay", first, None)]


async def test_what_was_counted_and_is_gone_is_counted_again(people: World) -> None:
    await given_refused(people, 1)
    work = Noted()
    browser = await operator(people, work)

    form = {"verb": "drop", "which": "all", "newest": "gone", "do": "drop", "why": "forged"}
    answer = await browser.post("/operations/quarantine/E_JSON/work", form)

    assert work.asked == []
    assert 'name="newest"' in answer.text


async def test_nothing_is_destroyed_without_a_reason_or_without_the_button(people: World) -> None:
    (only,) = await given_refused(people, 1)
    work = Noted()
    browser = await operator(people, work)
    form = {"verb": "drop", "which": "chosen", "id": only}

    assert (await browser.post("/operations/quarantine/E_JSON/work", {**form, "do": "drop"})).status_code == 422
    kept = await browser.post("/operations/quarantine/E_JSON/work", {**form, "why": "forged"})
    assert 'value="forged"' in kept.text
    assert work.asked == []

    await browser.post("/operations/quarantine/E_JSON/work", {**form, "why": "forged", "do": "drop"})
    assert work.asked == [("drop", [only], "forged")]


@pytest.mark.parametrize("form", [{"verb": "burn", "which": "all"}, {"verb": "drop", "which": "chosen"}])
async def test_what_names_nothing_is_asked_again(people: World, form: dict[str, str]) -> None:
    await given_refused(people, 1)
    browser = await operator(people)

    assert (await browser.post("/operations/quarantine/E_JSON/ask", form)).status_code == 422


async def test_diagnostics_run_when_somebody_asks_and_what_fails_stands_first(people: World) -> None:
    browser = await operator(people)
    assert "no room" not in (await browser.get("/operations/checks")).text

    page = (await browser.post("/operations/checks")).text

    assert page.index("no room") < page.index(">right<")


async def test_the_audit_log_notes_who_looks_and_its_chain_is_checked(people: World) -> None:
    browser = await operator(people, role="auditor")
    page = await browser.get("/audit")
    assert "session.began" in page.text
    async with people.store.reading() as unit:
        assert [entry.actor for entry in await unit.audit.list(action="audit.read")] == ["auditor"]

    moments = iter((0.0, 100.0))
    sealer = SealAudit(people.store, people.clock, chain_key(b"k" * 32), lambda: next(moments))
    await sealer.seal()
    await sealer.seal()
    assert "entries hold" in (await browser.post("/audit")).text
