"""The state that each service says it is in, for `status`, readiness and metrics; a change of it is logged once.

A state is noted when it is found out, not predicted: a service that waits for messages on a live subscription runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

import structlog

from bridge.core.errors import UnavailableError

State = Literal["running", "waiting_for_database", "waiting_for_broker", "waiting", "blocked", "faulty", "stopped"]

BLOCKED_CODE: Final = "E_BROKER_BLOCKED"
# A password or certificate that cannot be used keeps a service from the broker, too.
BROKER_CODES: Final = ("E_BROKER", "E_SECRET_FILE", "E_CERTIFICATE", "E_AUTHORITY")
MACHINE_CODES: Final = ("E_DISK", "E_CLOCK")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What one service does now.

    Attributes:
        name: as in the log: `publisher`, `contact-point rs.ncp`.
        state: `waiting` for this machine itself, its disk or its clock; `faulty` when something failed that nobody
            foresaw, and it pauses before it tries again.
        since: when it began.
        code: the stable code of what it waits for; `None` while it runs and where it has not failed yet.
        detail: the sentence to the code; holds no secret and no word of a message.
    """

    name: str
    state: State
    since: datetime
    code: str | None
    detail: str | None


@dataclass(slots=True)
class StateNote:
    """Where a service keeps its state."""

    state: State
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    code: str | None = None
    detail: str | None = None

    def enter(self, state: State, *, code: str | None = None, detail: str | None = None) -> bool:
        """Notes a state; answers whether it is another one, or has another reason."""
        changed = (state, code) != (self.state, self.code)
        if changed:
            self.state, self.since, self.code = state, datetime.now(UTC), code
        self.detail = detail
        return changed

    def wait_for(self, service: str, error: UnavailableError) -> None:
        """Notes what the service waits for, and logs it where that is news."""
        if self.enter(_waiting(error.code), code=error.code, detail=error.message):
            _log.warning("service.unavailable", service=service, code=error.code, detail=error.message)

    def run(self, service: str) -> None:
        """Notes that the service does its work, and logs it where it could not before."""
        waited = self.code
        if self.enter("running") and waited is not None:
            _log.info("service.recovered", service=service, code=waited)

    def told(self, name: str) -> ServiceState:
        """The state as others see it."""
        return ServiceState(name, self.state, self.since, self.code, self.detail)


def _waiting(code: str) -> State:
    if code == BLOCKED_CODE:
        return "blocked"
    if code.startswith("E_DATABASE"):
        return "waiting_for_database"
    if code in MACHINE_CODES:
        return "waiting"
    return "waiting_for_broker" if code.startswith(BROKER_CODES) else "faulty"
