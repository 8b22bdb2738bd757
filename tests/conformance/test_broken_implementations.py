"""Each implementation is broken in one thing, and exactly the cases that try it fail; without a breach none does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from conformance_world import COUNTRIES, Pair

from bridge.conformance.case import Verdict
from bridge.conformance.running import CASES

if TYPE_CHECKING:
    from pathlib import Path

    from servers.broker_fixtures import MakeVirtualHost

pytestmark = pytest.mark.broker

TOGETHER = 4
FAILS = {
    "nothing": set(),
    "without-signatures": {"refuse-signature-payload", "refuse-signature-bit", "refuse-signature-zeros"},
    "answers-strangers": {"refuse-network", "refuse-seal-digest"},
    "answers-strangers-later": {"at-the-end"},
    "acknowledges-first": {"killed"},
    "acknowledges-another": {"acknowledges"},
    "without-revocation": {"refuse-key-revoked"},
    "takes-unsorted": {"refuse-unsorted"},
    "without-commitment": {"refuse-commitment"},
    "takes-expired": {"refuse-expired"},
    "takes-tests": {"refuse-status-test"},
    "without-equivocation": {"refuse-equivocation", "killed"},
    "unsigned-receipts": {"receipt-signed"},
    "wrong-digests": {"receipt-digests"},
    "digests-as-lists": {"receipt-signed", "receipt-digests", "at-the-end"},
    "unreadable-receipts": {"receipt-signed"},
    "takes-it-back": {"at-the-end"},
    "one-line": {"urgent-first"},
    "void-without-proof": {"send-again", "send-control"},
    "numbers-as-text": {"send-signed", "send-numbers"},
    "receipts-for-control": {"control-unanswered", "refuse-receipt-unasked"},
    "reencodes": {"send-signed"},
    "same-number": {"send-numbers"},
    "seals-to-more": {"send-sealed"},
    "not-persistent": {"receipt-persistent", "send-persistent"},
    "poisoned": {"poison"},
    "twice-for-twice": {"duplicate-once"},
    "wrong-type": {"receipt-properties", "send-properties"},
    "only-its-own-minor": {"newer-minor", "good-large"},
    "forgets": {"killed"},
}
# One that stops at the first noise fails whatever comes behind it, which is no other fault.
BEFORE_NOISE = {case.id for case in CASES if not case.id.startswith(("alive", "good", "poison"))}
# The others break nothing in what they send, or keep: to send and to be killed takes them six seconds each.
COMMANDED = {
    *("nothing", "acknowledges-first", "without-equivocation", "forgets"),
    *("reencodes", "same-number", "seals-to-more", "not-persistent", "wrong-type"),
    *("void-without-proof", "numbers-as-text"),
}
REFUSALS = {case.id for case in CASES if case.id.startswith("refuse-")}
# These refuse as any other does.
NOT_ABOUT_REFUSALS = {"acknowledges-another", "one-line", "void-without-proof", "numbers-as-text"}


def left_out(broken: str) -> set[str]:
    never = set() if broken == "void-without-proof" else {"send-again"}  # it keeps nothing to send again
    noise = BEFORE_NOISE if broken == "poisoned" else set()
    refusals = REFUSALS if broken in NOT_ABOUT_REFUSALS else set()
    # five seconds of waiting, where nothing else takes them
    last = set() if broken in COMMANDED or "at-the-end" in FAILS[broken] else {"at-the-end"}
    return never | noise | refusals | last


async def test_each_breach_is_found_by_the_cases_that_try_it_and_by_no_other(
    make_vhost: MakeVirtualHost, tmp_path: Path
) -> None:
    turn = asyncio.Semaphore(TOGETHER)
    pairs = [Pair(tmp_path / broken, make_vhost(COUNTRIES), broken) for broken in FAILS]

    async def tried(pair: Pair) -> tuple[str, dict[str, str]]:
        async with turn:
            pair.prepare()
            results = await pair.run(left_out=left_out(pair.broken), is_commanded=pair.broken in COMMANDED)
            return pair.broken, {each.case.id: each.seen for each in results if each.verdict is Verdict.FAIL}

    found = dict(await asyncio.gather(*(tried(pair) for pair in pairs)))

    assert {broken: (fails, set(fails)) for broken, fails in found.items() if set(fails) != FAILS[broken]} == {}
