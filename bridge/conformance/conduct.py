"""Cases of conduct: noise, a backlog, a kill, an answer by itself; and at the end, that nothing was taken back."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from time import monotonic
from typing import Final

from bridge.conformance.bench import Bench, shell
from bridge.conformance.case import Case, FailedCaseError, SkippedCaseError
from bridge.conformance.receiving import CONTROL, RECEIPTED, STEP
from bridge.core.messages import AcknowledgementBody, Reference
from bridge.counterparts.forgeries import FORGERIES
from bridge.counterparts.making import Made

FLOOD: Final = 30
BACKLOGS: Final = (60, 300)  # the second for whoever is done with the first at once
AT_A_KILL: Final = 20
QUICK_SECONDS: Final = 1.0
LATER_SECONDS: Final = 5.0  # at least; from the last silence to the last look


async def _poison(bench: Bench) -> str:
    good = bench.good()
    for _ in range(FLOOD):
        await bench.publish(replace(bench.good(), wire_bytes=secrets.token_bytes(500)))
    await bench.publish(good)
    return (await bench.answered(good)).told


async def _urgent_first(bench: Bench) -> str:
    for size in BACKLOGS:
        seconds, waiting = await _behind(bench, size)
        if waiting:
            return f"answered after {seconds:.2f} s, {waiting} of {size} normal ones still waiting"
        if seconds > max(QUICK_SECONDS, 2 * bench.first_seconds):
            raise FailedCaseError(f"answered after {seconds:.1f} s, behind all {size} of the normal lane")
    raise SkippedCaseError(f"too quick to tell: {BACKLOGS[-1]} normal ones were answered within {seconds:.2f} s")


async def _behind(bench: Bench, size: int) -> tuple[float, int]:
    """How long an urgent one waits behind normal ones, in seconds, and how many of those wait longer."""
    backlog, urgent = [bench.good() for _ in range(size)], bench.good(urgency="immediate")
    await asyncio.gather(*(bench.publish(made) for made in backlog))
    sent = monotonic()
    await bench.publish(urgent)
    await bench.answered(urgent)
    seconds = monotonic() - sent
    waiting = sum(not bench.answers_to(made) for made in backlog)
    for made in backlog:
        await bench.answered(made)
    return seconds, waiting


async def _killed(bench: Bench) -> str:
    command = bench.options.restart_command
    if command is None:
        raise SkippedCaseError("no --restart-command")
    before = bench.good()
    await bench.publish(before)
    await bench.answered(before)  # what is under way at a kill comes again, and would be known by that
    sent = [bench.good() for _ in range(AT_A_KILL)]
    await asyncio.gather(*(bench.publish(made) for made in sent))
    await shell(command)
    bench.bound_seconds = bench.options.bound_seconds  # it starts anew
    await bench.until(lambda: all(bench.answers_to(made) for made in sent))
    lost = sum(not bench.answers_to(made) for made in sent)
    if lost:
        raise FailedCaseError(f"{lost} of {AT_A_KILL} that it had when it was killed never had a receipt")
    for made in sent:
        await bench.answered(made)
    forged = FORGERIES[[each.name for each in FORGERIES].index("equivocation")].make(
        replace(bench.workshop(), known=before)
    )
    if forged is None:
        raise SkippedCaseError("no forgery")
    await bench.publish(forged)
    await bench.answered(forged, "rejected", "E_EQUIVOCATION")
    return f"all {AT_A_KILL} have receipts, and it remembers what it had before"


async def _acknowledges(bench: Bench) -> str:
    if not bench.options.answers:
        raise SkippedCaseError("no --answers: people answer there")
    made = bench.good()
    await bench.publish(made)
    await bench.answered(made)
    if not await bench.until(lambda: bool(_acknowledged(bench, made))):
        raise FailedCaseError(f"no acknowledgement in its thread within {bench.bound_seconds:.0f} s")
    right = Reference.model_validate(made.reference)
    if any(of != right for of in _acknowledged(bench, made)):
        raise FailedCaseError("acknowledged in its thread, but `of` is not what was sent")
    return "acknowledged in its thread"


def _acknowledged(bench: Bench, made: Made) -> list[Reference]:
    """What the acknowledgements in a message's thread say that they are of."""
    bodies = [judged.verified.body for judged in bench.messages if judged.verified is not None]
    in_thread = [body.known for body in bodies if body.thread == made.thread]
    return [known.of for known in in_thread if isinstance(known, AcknowledgementBody)]


async def _at_the_end(bench: Bench) -> str:
    """One word for each message, also later: what a case has seen still holds."""
    if not bench.settled:
        raise SkippedCaseError("nothing was settled before")
    silent = [each.at for each in bench.settled if not each.told]
    await asyncio.sleep(max(0.0, max(silent, default=0.0) + LATER_SECONDS - monotonic()))
    faults: dict[str, str] = {}
    for each in bench.settled:
        others = [receipt.told for receipt in bench.answers_to(each.made) if receipt.told not in each.told]
        if others:
            before = " or ".join(sorted(each.told)) if each.told else "nothing, and rightly so"
            faults[each.made.id] = f"for message {each.made.id} it told {before}, later {others[0]}"
    if faults:
        raise FailedCaseError(f"{len(faults)} of {len(bench.settled)}: {next(iter(faults.values()))}")
    return f"{len(bench.settled)} messages, nothing else was said of them"


TOPOLOGY: Final = "rabbitmq, topology"
CONDUCT: Final = (
    Case("poison", TOPOLOGY, "thirty messages of noise, then a good one", RECEIPTED, _poison),
    Case("urgent-first", TOPOLOGY, "sixty normal alerts, or three hundred; then an urgent one",
         "the urgent one does not wait for all of them", _urgent_first, is_alone=True),
    Case("acknowledges", CONTROL, "a good alert", "an acknowledgement of it, in its thread", _acknowledges),
)  # fmt: skip
AT_THE_END: Final = (
    Case("killed", f"{STEP} 18", "twenty alerts, and a kill; then an id that it had before, with another payload",
         "a receipt for each; rejected E_EQUIVOCATION", _killed, is_alone=True),
    Case("at-the-end", CONTROL, "nothing more", "no receipt that contradicts an earlier one, or comes where none may",
         _at_the_end, is_alone=True),
)  # fmt: skip
