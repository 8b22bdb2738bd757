"""Which faults, on whom, how long, in which order: a pure function of the seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chaos_world import COUNTRIES, ON_POSTGRES, ON_SMALL_DISK, ROLES, SPLIT

CONNECTION_CUT: Final = "connection_cut"
BROKER_STALL: Final = "broker_stall"
BROKER_KILL: Final = "broker_kill"
KILL_BEFORE_COMMIT: Final = "kill_before_commit"
KILL_BEFORE_ACKNOWLEDGE: Final = "kill_before_acknowledge"
KILL_BEFORE_PUBLISH: Final = "kill_before_publish"
KILL_BEFORE_MARK: Final = "kill_before_mark"
KILL_IN_MIGRATION: Final = "kill_in_migration"
KILL_AT_RANDOM: Final = "kill_at_random"
KILL_WHILE_SUBMITTING: Final = "kill_while_submitting"
SERVICE_STALL: Final = "service_stall"
DATABASE_PAUSED: Final = "database_paused"
DATABASE_KILLED: Final = "database_killed"
DATABASE_LOCKED: Final = "database_locked"
DISK_FULL: Final = "disk_full"
POISON_FLOOD: Final = "poison_flood"
SHUFFLED_AND_DOUBLED: Final = "shuffled_and_doubled"
CLOCK_STEP: Final = "clock_step"

BROKER: Final = "broker"
_SERVICES: Final = tuple(f"{SPLIT}-{role}" for role in ROLES) + tuple(one for one in COUNTRIES if one != SPLIT)
_PUBLISHING: Final = tuple(one for one in _SERVICES if one != f"{SPLIT}-contact-point")
# A router marks only what it could not publish at once.
_RELAYING: Final = tuple(one for one in _PUBLISHING if one != f"{SPLIT}-subscriber")
_CONSUMING: Final = tuple(one for one in _SERVICES if one != f"{SPLIT}-publisher")
_ON_FILES: Final = tuple(country for country in COUNTRIES if country != ON_POSTGRES)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        weight: how often, relative to the others.
        shortest, longest: seconds that it lasts; what is over in a moment has none.
        targets: countries, services, or the broker.
    """

    weight: int
    shortest: float
    longest: float
    targets: Sequence[str]


KINDS: Final = {
    CONNECTION_CUT: Kind(3, 2, 5, COUNTRIES),
    BROKER_STALL: Kind(1, 5, 20, (BROKER,)),
    BROKER_KILL: Kind(1, 0, 0, (BROKER,)),
    KILL_BEFORE_COMMIT: Kind(2, 0, 0, _SERVICES),
    KILL_BEFORE_ACKNOWLEDGE: Kind(3, 0, 0, _CONSUMING),
    KILL_BEFORE_PUBLISH: Kind(2, 0, 0, _PUBLISHING),
    KILL_BEFORE_MARK: Kind(3, 0, 0, _RELAYING),
    KILL_IN_MIGRATION: Kind(1, 0, 0, ("sqlite", "postgres")),
    KILL_AT_RANDOM: Kind(3, 0, 0, _SERVICES),
    KILL_WHILE_SUBMITTING: Kind(2, 0, 0, COUNTRIES),
    SERVICE_STALL: Kind(1, 2, 8, _SERVICES),
    DATABASE_PAUSED: Kind(1, 2, 12, (ON_POSTGRES,)),
    DATABASE_KILLED: Kind(1, 0, 0, (ON_POSTGRES,)),
    DATABASE_LOCKED: Kind(1, 2, 14, _ON_FILES),
    DISK_FULL: Kind(1, 2, 8, (ON_SMALL_DISK,)),
    POISON_FLOOD: Kind(2, 0, 0, COUNTRIES),
    SHUFFLED_AND_DOUBLED: Kind(2, 1, 2, COUNTRIES),
    CLOCK_STEP: Kind(1, 2, 6, COUNTRIES),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a plan; `dice` seeds what is left to chance while it is made."""

    number: int
    kind: str
    target: str
    seconds: float
    dice: int

    @property
    def country(self) -> str | None:
        """Whose it is; `None`: everybody's."""
        prefix = self.target.partition("-")[0]
        return prefix if prefix in COUNTRIES else None


def plan_faults(seed: int, count: int, *, kinds: Sequence[str], brief: bool = False) -> list[Fault]:
    """`count` faults: every kind once before any comes again, then dealt from decks that hold each by its weight.

    Args:
        kinds: which kinds there may be.
        brief: each as short as its kind allows.
    """
    dice = random.Random(seed)  # noqa: S311 - a plan to be repeated, not a secret
    dealt = _shuffled(dice, sorted(kinds))
    while len(dealt) < count:
        dealt += _shuffled(dice, [kind for kind in sorted(kinds) for _ in range(KINDS[kind].weight)])
    return [_fault(dice, number, kind, brief=brief) for number, kind in enumerate(dealt[:count])]


def plan_cluster(seed: int, nodes: int, count: int) -> list[Fault]:
    """Every node of a cluster killed and stalled, then as many other faults at random; the number tells the node."""
    dice = random.Random(seed)  # noqa: S311 - a plan to be repeated, not a secret
    kinds = [BROKER_KILL] * nodes + [BROKER_STALL] * nodes
    others = (CONNECTION_CUT, KILL_BEFORE_ACKNOWLEDGE, KILL_BEFORE_MARK, BROKER_KILL, KILL_AT_RANDOM)
    kinds += dice.choices(others, k=max(0, count - len(kinds)))
    return [_fault(dice, number, kind, brief=False) for number, kind in enumerate(kinds[:count])]


def seconds_of(plan: Sequence[Fault]) -> float:
    """How long the plan takes, roughly: a fault, and what comes after it."""
    overhead = {BROKER_KILL: 12.0, BROKER_STALL: 8.0}
    return sum(fault.seconds + overhead.get(fault.kind, 3.5) for fault in plan)


def _shuffled(dice: random.Random, kinds: list[str]) -> list[str]:
    dice.shuffle(kinds)
    return kinds


def _fault(dice: random.Random, number: int, kind: str, *, brief: bool) -> Fault:
    form = KINDS[kind]
    seconds = form.shortest if brief else dice.uniform(form.shortest, form.longest)
    return Fault(number, kind, dice.choice(form.targets), round(seconds, 1), dice.randrange(2**32))
