"""Runs the cases: several at a time where they allow it, within bounds; what is dead is noticed by the first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from bridge.conformance.bench import Bench, Options
from bridge.conformance.case import Case, FailedCaseError, Result, SkippedCaseError, Verdict, printable
from bridge.conformance.conduct import AT_THE_END, CONDUCT
from bridge.conformance.receiving import ALIVE, GOOD, RECEIPTS, REFUSALS
from bridge.conformance.sending import SENDING
from bridge.core.errors import UnavailableError
from bridge.counterparts.counterpart import Counterpart
from bridge.counterparts.line import Accounts, open_line
from bridge.counterparts.making import Maker
from bridge.counterparts.scripts import Never

CASES: Final[tuple[Case, ...]] = (*GOOD, *RECEIPTS, *REFUSALS, *CONDUCT, *SENDING, *AT_THE_END)
TOGETHER: Final = 12
CASE_SECONDS: Final = 180.0
SEEN_CHARACTERS: Final = 400  # it may name a stranger's text

Tell = Callable[[Result], None]


async def run_cases(
    maker: Maker, *, target: str, other: str, accounts: Accounts, options: Options, cases: Sequence[Case], tell: Tell
) -> list[Result]:
    """The results in the order of the cases; `tell` hears of each as it ends.

    Raises:
        UnavailableError: the broker cannot be reached.
    """
    async with open_line(accounts, maker.desk.id.partition(".")[0]) as line:
        bench = Bench(Counterpart(maker, line, Never()), target, other, options)
        hearing = asyncio.create_task(bench.hear())
        try:
            return await _run(bench, cases, tell)
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


async def _run(bench: Bench, cases: Sequence[Case], tell: Tell) -> list[Result]:
    results: dict[str, Result] = {}

    async def one(case: Case) -> None:
        results[case.id] = await _tried(bench, case)
        tell(results[case.id])

    first = next(case for case in CASES if case.id == ALIVE)
    await one(first)
    if results[ALIVE].verdict is not Verdict.PASS:
        for case in cases:
            if case.id != ALIVE:
                results[case.id] = Result(case, Verdict.SKIPPED, "it does not answer a good alert", 0.0)
        return [results[case.id] for case in (first, *(each for each in cases if each.id != ALIVE))]
    turn = asyncio.Semaphore(TOGETHER)

    async def in_turn(case: Case) -> None:
        async with turn:
            await one(case)

    rest = [case for case in cases if case.id != ALIVE]
    await asyncio.gather(*(in_turn(case) for case in rest if not case.is_alone))
    for case in rest:
        if case.is_alone:
            await one(case)
    return [results[case.id] for case in (first, *rest)]


async def _tried(bench: Bench, case: Case) -> Result:
    started = monotonic()
    try:
        async with asyncio.timeout(CASE_SECONDS):
            verdict, seen = Verdict.PASS, await case.run(bench)
    except FailedCaseError as failed:
        verdict, seen = Verdict.FAIL, str(failed)
    except SkippedCaseError as skipped:
        verdict, seen = Verdict.SKIPPED, str(skipped)
    except UnavailableError as error:  # whose fault it is cannot be told, but nothing was kept that was not tried
        verdict, seen = Verdict.FAIL, f"could not be sent: {error.message}"
    except TimeoutError:
        verdict, seen = Verdict.FAIL, f"not done within {CASE_SECONDS:.0f} s"
    except Exception as error:  # noqa: BLE001 - what nobody thought of costs this case, not the report
        verdict, seen = Verdict.FAIL, f"could not be judged: {type(error).__name__}"
    return Result(case, verdict, printable(seen[:SEEN_CHARACTERS]), monotonic() - started)
