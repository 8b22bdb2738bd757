"""The clock watch with a clock and a time since boot that the test moves: when time may be used for a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bridge.adapters.system.clock_watch import ACCEPTED_AFTER, MOST_STEP, ClockWatch
from bridge.core.errors import UnavailableError

SECOND = timedelta(seconds=1)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Machine:
    """A machine whose wall clock can be set."""

    wall: datetime = NOON
    booted_for: timedelta = timedelta(hours=3)
    confirmed_at: datetime | None = NOON - timedelta(hours=2)
    watch: ClockWatch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = ClockWatch(self, since_boot=self.booted_for_seconds, confirmed_at=self.list_of)

    def now(self) -> datetime:
        return self.wall

    def booted_for_seconds(self) -> float:
        return self.booted_for.total_seconds()

    def list_of(self) -> datetime:
        if self.confirmed_at is None:
            raise UnavailableError("E_TRUST_LIST", "no list was ever verified")
        return self.confirmed_at

    def wait(self, length: timedelta) -> None:
        self.wall += length
        self.booted_for += length

    def set_clock(self, by: timedelta) -> None:
        self.wall += by


def refusal(machine: Machine) -> str:
    with pytest.raises(UnavailableError) as raised:
        machine.watch.now()
    assert raised.value.code == "E_CLOCK"
    return raised.value.message


def test_time_that_passes_is_told() -> None:
    machine = Machine()

    machine.wait(timedelta(days=40))

    assert machine.watch.now() == NOON + timedelta(days=40)
    assert machine.watch.step is None


@pytest.mark.parametrize("by", [MOST_STEP, -MOST_STEP, 90 * SECOND])
def test_small_corrections_are_nothing(by: timedelta) -> None:
    machine = Machine()

    machine.set_clock(by)

    assert machine.watch.now() == NOON + by


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (timedelta(hours=5), "set ahead by 5 h"),
        (timedelta(hours=-5), "set back by 5 h"),
        (MOST_STEP + SECOND, "set ahead by 2 min"),
        (-MOST_STEP - SECOND, "set back by 2 min"),
    ],
)
def test_a_clock_that_was_set_tells_no_time_and_by_how_much_it_is_wrong(by: timedelta, said: str) -> None:
    machine = Machine()

    machine.set_clock(by)

    assert said in refusal(machine)
    assert not machine.watch.is_trusted()
    step = machine.watch.step
    assert step is not None
    assert step.ahead_by == by


def test_a_clock_that_was_set_back_to_right_is_trusted_at_once() -> None:
    machine = Machine()
    machine.set_clock(timedelta(hours=5))
    assert not machine.watch.is_trusted()

    machine.wait(timedelta(minutes=3))
    machine.set_clock(timedelta(hours=-5))

    assert machine.watch.now() == NOON + timedelta(minutes=3)


def test_a_step_that_stays_is_accepted_after_ten_minutes_and_not_before() -> None:
    machine = Machine()
    machine.set_clock(timedelta(hours=-5))
    assert not machine.watch.is_trusted()

    machine.wait(ACCEPTED_AFTER - SECOND)
    assert not machine.watch.is_trusted()

    machine.wait(SECOND)
    assert machine.watch.now() == machine.wall
    machine.wait(timedelta(hours=1))
    assert machine.watch.is_trusted()


def test_a_second_step_begins_the_ten_minutes_anew() -> None:
    machine = Machine()
    machine.set_clock(timedelta(hours=5))
    assert not machine.watch.is_trusted()
    machine.wait(timedelta(minutes=9))

    machine.set_clock(timedelta(hours=1))
    assert not machine.watch.is_trusted()
    machine.wait(timedelta(minutes=9))

    assert not machine.watch.is_trusted()


def test_a_clock_that_the_list_proves_to_have_been_behind_is_trusted_as_soon_as_it_is_set() -> None:
    # given: a machine that began in 1970, and a list that was confirmed long after
    machine = Machine(wall=datetime(1970, 1, 1, tzinfo=UTC), confirmed_at=NOON - timedelta(hours=1))
    assert machine.watch.is_trusted()

    # when
    machine.set_clock(NOON - machine.wall)

    # then
    assert machine.watch.now() == NOON


def test_a_clock_that_is_set_ahead_but_still_behind_the_list_is_not_trusted() -> None:
    machine = Machine(wall=datetime(1970, 1, 1, tzinfo=UTC), confirmed_at=NOON)

    machine.set_clock(timedelta(days=365))

    assert not machine.watch.is_trusted()


def test_without_any_list_a_step_waits_its_ten_minutes() -> None:
    machine = Machine(confirmed_at=None)

    machine.set_clock(timedelta(hours=5))

    assert not machine.watch.is_trusted()


async def test_a_step_and_its_end_are_logged_once_each() -> None:
    machine = Machine()
    with capture_logs() as lines:
        machine.set_clock(timedelta(hours=5))
        for _ in range(5):
            machine.wait(SECOND)
            await machine.watch.look()
        machine.set_clock(timedelta(hours=-5))
        for _ in range(5):
            machine.wait(SECOND)
            await machine.watch.look()

    assert [line["event"] for line in lines] == ["clock.stepped", "clock.trusted"]
    assert lines[0]["seconds"] == 5 * 3600
