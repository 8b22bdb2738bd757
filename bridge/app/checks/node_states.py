"""The names of what a node can suffer from, as `status`, `doctor` and `/readyz` print them; they are stable.

An operator looks a name up in docs/operations.md, a monitor compares it; the sentence beside it is for people.
"""

from __future__ import annotations

from typing import Final

OK: Final = "ok"
FAILED: Final = "failed"  # for a check without names of its own
NO_ANSWER: Final = "no_answer"

RUNNING: Final = "running"
STARTING: Final = "starting"
DRAINING: Final = "draining"
NOT_RUNNING: Final = "not_running"

DISK_FULL: Final = "disk_full"
DATABASE_READ_ONLY: Final = "database_read_only"
DATABASE_LOCKED: Final = "database_locked"
DATABASE_UNREACHABLE: Final = "database_unreachable"
DATABASE_SCHEMA: Final = "database_schema"

BROKER_BLOCKED: Final = "broker_blocked"
BROKER_UNREACHABLE: Final = "broker_unreachable"
BROKER_REFUSES_ACCOUNT: Final = "broker_refuses_account"
QUEUE_MISSING: Final = "queue_missing"

CLOCK_STEPPED: Final = "clock_stepped"
CLOCK_BEHIND: Final = "clock_behind"
CLOCK_AHEAD: Final = "clock_ahead"

MEMBERSHIP_OLD: Final = "membership_old"
MEMBERSHIP_MISSING: Final = "membership_missing"
MEMBERSHIP_FROZEN: Final = "membership_frozen"
SIGNATURE_ENDS: Final = "membership_signature_ends"
KEY_UNUSABLE: Final = "key_unusable"
KEY_ENDS_SOON: Final = "key_ends_soon"
TOKEN_UNREACHABLE: Final = "token_unreachable"  # noqa: S105 - a state
TOKEN_REFUSES_PIN: Final = "token_refuses_pin"  # noqa: S105 - a state
CERTIFICATE_ENDS_SOON: Final = "certificate_ends_soon"
CERTIFICATE_ENDED: Final = "certificate_ended"
CERTIFICATE_UNUSABLE: Final = "certificate_unusable"
BROKER_NOT_OURS: Final = "broker_not_ours"
SERVICE_FAULTY: Final = "service_faulty"
ANSWER_OVERDUE: Final = "answer_overdue"
NOTICES_UNSENT: Final = "notices_unsent"
WEBHOOK_DISABLED: Final = "webhook_disabled"

_OF_CODE: Final = {
    "E_DISK": DISK_FULL,
    "E_DATABASE_FULL": DISK_FULL,
    "E_DATABASE_READ_ONLY": DATABASE_READ_ONLY,
    "E_DATABASE_LOCKED": DATABASE_LOCKED,
    "E_DATABASE_SCHEMA": DATABASE_SCHEMA,
    "E_DATABASE": DATABASE_UNREACHABLE,
    "E_BROKER_BLOCKED": BROKER_BLOCKED,
    "E_BROKER_UNREACHABLE": BROKER_UNREACHABLE,
    "E_BROKER_LOST": BROKER_UNREACHABLE,
    "E_BROKER_CREDENTIALS": BROKER_REFUSES_ACCOUNT,
    "E_BROKER_CERTIFICATE": BROKER_NOT_OURS,
    "E_CERTIFICATE_FILE": CERTIFICATE_UNUSABLE,
    "E_CERTIFICATE_EXPIRED": CERTIFICATE_ENDED,
    "E_AUTHORITY": CERTIFICATE_UNUSABLE,
    "E_BROKER_VHOST": BROKER_REFUSES_ACCOUNT,
    "E_BROKER_REFUSED": BROKER_REFUSES_ACCOUNT,
    "E_BROKER_MISSING": QUEUE_MISSING,
    "E_CLOCK": CLOCK_STEPPED,
    "E_CLOCK_BEHIND": CLOCK_BEHIND,
    "E_CLOCK_AHEAD": CLOCK_AHEAD,
    "E_TRUST_LIST": MEMBERSHIP_MISSING,
    "E_TRUST_STALE": MEMBERSHIP_OLD,
    "E_KEY_UNKNOWN": KEY_UNUSABLE,
    "E_KEY_REVOKED": KEY_UNUSABLE,
    "E_KEY_EXPIRED": KEY_UNUSABLE,
    "E_KEY_FILE": KEY_UNUSABLE,
    "E_NO_SIGNING_KEY": KEY_UNUSABLE,
    "E_TOKEN": TOKEN_UNREACHABLE,
    "E_TOKEN_PIN": TOKEN_REFUSES_PIN,
    "E_TOKEN_KEY": KEY_UNUSABLE,
    "E_FAULT": SERVICE_FAULTY,
    "E_NO_ANSWER": NO_ANSWER,
    "E_NOT_RUNNING": NOT_RUNNING,
}


def state_of(code: str) -> str:
    """The state that an error's stable code means; `failed` for one that has none."""
    return _OF_CODE.get(code, FAILED)
