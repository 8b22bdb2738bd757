"""Recipients that are away for weeks: once back they get what is still worth delivering, and a stub of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bridge_countries import ALERTS, NETWORK, Country, eventually, found_country
from broker_queues import Queues
from offset_clock_node import ahead

from bridge.adapters.system import SystemClock
from bridge.core.times import format_time
from broker import Access

TO_HUNGARY_AND_AUSTRIA = "01-rs-at-construction-recruitment-agency.json"
TO_CROATIA = "22-rs-hr-hospitality-found-at-destination.json"
CROATIA = """
[[contact_points]]
id = "hr.ncp"
name = "National contact point, Croatia"
national_desk = true
"""
SENT_ON_DAYS = (0, 10, 20)
BACK_ON_DAY = 26
RECIPIENTS = ("at.ncp", "hu.ncp", "hu.border-police")


@pytest.fixture
def away(broker_node: Access, own_vhost: str, tmp_path: Path) -> Mapping[str, Country]:
    """Serbia sends; Hungary, Austria and Croatia can be away. Nothing is on the broker for Croatia yet."""
    network = NETWORK.replace('["RS", "HU", "AT"]', '["RS", "HU", "AT", "HR"]') + CROATIA
    found = {
        country.lower(): found_country(tmp_path, country, broker=broker_node, vhost=own_vhost, network=network)
        for country in ("RS", "HU", "AT", "HR")
    }
    for country in ("rs", "hu", "at"):
        found[country].apply_topology(broker_node.management_url)
    return found


@contextmanager
def on_day(day: int, *running: tuple[Country, Sequence[str]], patch: pytest.MonkeyPatch) -> Iterator[None]:
    """On that day these services run; commands that are given inside see the same clock."""
    with patch.context() as patched:
        patched.setattr(SystemClock, "now", ahead(day))
        try:
            for country, roles in running:
                country.start(*roles, days_ahead=day or 1e-9)
            for country, _ in running:
                country.wait_ready()
            yield
        finally:
            for country, _ in running:
                if country.process is not None:
                    country.stop()


def submit(serbia: Country, file: str, folder: Path, *, day: int, lifetime_days: int) -> str:
    """Submits a sample alert that is worth delivering for so many days from that day on."""
    alert = json.loads((ALERTS / file).read_text("utf-8"))
    alert["expires"] = format_time(datetime.now(UTC) + timedelta(days=day + lifetime_days, minutes=-1))
    path = folder / "alert.json"
    path.write_text(json.dumps(alert), "utf-8")
    message_id: str = serbia.submit(path, "--partial")["id"]
    return message_id


def states(serbia: Country, message_id: str) -> dict[str, tuple[str, str | None]]:
    recipients = serbia.ask("outbox", "show", message_id)["recipients"]
    return {one["id"]: (one["state"], one["code"]) for one in recipients}


def check(country: Country, name: str) -> dict[str, Any]:
    said = country.say("status", "--json")
    (found,) = (one for one in said.json["checks"] if one["name"] == name)
    checked: dict[str, Any] = found
    return checked


def test_after_weeks_away_everything_not_yet_expired_arrives_once_and_a_stub_of_the_rest(
    away: Mapping[str, Country], broker_node: Access, own_vhost: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serbia, hungary, austria, croatia = (away[code] for code in ("rs", "hu", "at", "hr"))
    queues = Queues(broker_node, own_vhost)

    # given Austria's contact point is away, its subscriber runs; nobody in Hungary runs; Croatia has no queue at all
    week, month = {}, {}
    for day in SENT_ON_DAYS:
        with on_day(day, (serbia, ()), (austria, ("subscriber",)), patch=monkeypatch):
            week[day] = submit(serbia, TO_HUNGARY_AND_AUSTRIA, tmp_path, day=day, lifetime_days=7)
            month[day] = submit(serbia, TO_HUNGARY_AND_AUSTRIA, tmp_path, day=day, lifetime_days=30)
            if day == 0:
                never, late = (submit(serbia, TO_CROATIA, tmp_path, day=day, lifetime_days=days) for days in (7, 30))
            placed = 2 * (SENT_ON_DAYS.index(day) + 1)
            for queue in ("inbox.at.ncp.normal", "country.hu.normal"):  # a heartbeat may be there, too
                eventually(lambda queue=queue, placed=placed: queues.depths()[queue] >= placed)
            assert all(states(serbia, one) == dict.fromkeys(RECIPIENTS, ("sent", None)) for one in (week[day],))
            # then what cannot leave is named from the first minute, with what stands in the way
            waiting = eventually(
                lambda: (found := check(serbia, "destinations"))["detail"] != "nothing waits" and found
            )
            assert not waiting["ok"]
            assert waiting["detail"].startswith("hr: ")
            assert "no such queue: unroutable" in waiting["detail"]

    # and what expired before it left is `expired`, by name
    assert states(serbia, never) == {"hr.ncp": ("expired", "E_EXPIRED")}
    assert "hr.ncp was not reached: no broker took it before it expired" in serbia.say("outbox", "show", never).out

    # and whoever has not confirmed is named, as long as it matters
    with on_day(BACK_ON_DAY, patch=monkeypatch):
        undelivered = check(serbia, "undelivered")
        assert not undelivered["ok"]
        assert all(f"{name}: 4 not confirmed" in undelivered["detail"] for name in RECIPIENTS)

    # when they are back
    croatia.apply_topology(broker_node.management_url)
    everybody = [(country, ()) for country in (serbia, hungary, austria, croatia)]
    with on_day(BACK_ON_DAY, *everybody, patch=monkeypatch):
        whole = [*month.values(), week[20]]
        over = [week[0], week[10]]

        # then the sender sees it, recipient by recipient
        eventually(lambda: all(states(serbia, one) == dict.fromkeys(RECIPIENTS, ("delivered", None)) for one in whole))
        rejected = dict.fromkeys(RECIPIENTS, ("rejected", "E_EXPIRED"))
        eventually(lambda: all(states(serbia, one) == rejected for one in over))
        eventually(lambda: states(serbia, late) == {"hr.ncp": ("delivered", None)})
        assert states(serbia, never) == {"hr.ncp": ("expired", "E_EXPIRED")}

        # and everybody has each once, and of what expired a stub
        for country, points in ((austria, 1), (hungary, 2)):
            items = country.ask("inbox", "list")["items"]
            assert sorted(one["id"] for one in items) == sorted((whole + over) * points)
            assert {one["id"] for one in items if one["state"] == "expired"} == set(over)
            assert {one["id"] for one in items if one["state"] == "new"} == set(whole)
        assert [one["id"] for one in croatia.ask("inbox", "list")["items"]] == [late]
        assert check(serbia, "destinations")["detail"] == "nothing waits"
        assert all(check(country, "sequence")["ok"] for country in (austria, hungary))
