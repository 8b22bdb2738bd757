"""A fuzz run that is guided by coverage, and the corpus that it begins with and may add to.

The corpus is what earlier runs found worth keeping: one input a line, base64url. Each reaches something in the parsers
that the others do not.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType

import fuzz_targets

from bridge.core.wire import base64url

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CORPUS = HERE / "corpus.txt"
FINDINGS = ROOT / ".cache" / "fuzz"
LONGEST_INPUT = 4096
SECONDS_FOR_ONE_INPUT = 20  # on a loaded machine; milliseconds on another
GRACE_SECONDS = 60

Step = tuple[CodeType, int, int]


@dataclass(frozen=True)
class Run:
    """What a run did: inputs tried, places of the program reached, and the files of what it found."""

    executions: int
    edges: int
    findings: tuple[Path, ...]
    log: str


def kept_corpus() -> list[bytes]:
    """The kept inputs."""
    return [base64url.decode(line) for line in CORPUS.read_text("ascii").splitlines()]


def fuzz(seconds: int, *, keep: bool = False, same_every_time: int | None = None) -> Run:
    """Runs the fuzzer for so long; with `keep` what it found worth keeping goes into the corpus.

    With `same_every_time` it tries that many inputs, and the same program gets the same ones in every run.
    """
    FINDINGS.mkdir(parents=True, exist_ok=True)
    before = set(FINDINGS.iterdir())
    with tempfile.TemporaryDirectory(prefix="ncp-bridge-fuzz-") as scratch:
        folder = Path(scratch) / "inputs"
        _write(folder, [*fuzz_targets.seeds(), *kept_corpus()])
        limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST_INPUT}", f"-timeout={SECONDS_FOR_ONE_INPUT}"]
        if same_every_time is not None:
            limits += [f"-runs={same_every_time}", "-seed=1"]
        words = Path(scratch) / "words.txt"
        words.write_text(_dictionary(), "ascii")
        limits.append(f"-dict={words}")
        log = _libfuzzer([*limits, f"-artifact_prefix={FINDINGS}/", "-print_final_stats=1"], folder, seconds=seconds)
        if keep:
            kept = _reaching_something(file.read_bytes() for file in folder.iterdir())
            CORPUS.write_text("".join(f"{base64url.encode(one)}\n" for one in sorted(kept)), "ascii")
    return Run(
        executions=_number(r"stat::number_of_executed_units: (\d+)", log),
        edges=_number(r"cov: (\d+)", log),
        findings=tuple(sorted(set(FINDINGS.iterdir()) - before)),
        log=log,
    )


def _dictionary() -> str:
    """For libFuzzer: the words that the formats have, and what parsers stumble over."""
    words = {word for seed in fuzz_targets.seeds() for word in re.findall(rb'"[\w.:#+-]{2,40}"', seed)}
    words |= {b"\\ud800", b"NaN", b"1e9", b"null", b"true", b"-0", b"9007199254740993", b"[[[[[[[[", b"\xef\xbb\xbf"}
    return "".join('"{}"\n'.format("".join(f"\\x{byte:02x}" for byte in word)) for word in sorted(words))


def _reaching_something(inputs: Iterable[bytes]) -> list[bytes]:
    """The shortest inputs that together reach every step from line to line that any of them reaches."""
    reached: set[Step] = set()
    kept = []
    for one in sorted(inputs, key=lambda data: (len(data), data)):
        steps = _steps_of(one)
        if not steps <= reached:
            kept.append(one)
            reached |= steps
    return kept


def _steps_of(data: bytes) -> set[Step]:
    steps: set[Step] = set()

    def follow(frame: FrameType, event: str, _: object) -> object:
        if not frame.f_code.co_filename.startswith(f"{ROOT}/bridge/"):
            return None
        if event == "line":
            steps.add((frame.f_code, last.get(frame, 0), frame.f_lineno))
            last[frame] = frame.f_lineno
        return follow

    last: dict[FrameType, int] = {}
    sys.settrace(follow)
    try:
        fuzz_targets.try_input(data)
    finally:
        sys.settrace(None)
    return steps


def _write(folder: Path, inputs: Iterable[bytes]) -> None:
    folder.mkdir()
    for one in inputs:
        (folder / hashlib.sha256(one).hexdigest()).write_bytes(one)


def _libfuzzer(arguments: Sequence[str], *folders: Path, seconds: int) -> str:
    command = [sys.executable, str(HERE / "fuzz_process.py"), *arguments, *map(str, folders)]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}:{HERE}", "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(  # noqa: S603 - our own program
        command, cwd=ROOT, env=environment, capture_output=True, timeout=seconds + GRACE_SECONDS, check=False
    )
    return (ended.stdout + ended.stderr).decode("utf-8", "replace")


def _number(pattern: str, log: str) -> int:
    found = re.findall(pattern, log)
    return int(found[-1]) if found else 0


def main() -> int:
    """For scripts/fuzz."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description="Fuzzes whatever reads a stranger's bytes.")
    parser.add_argument("--seconds", type=int, default=300, help="how long (default: 300)")
    parser.add_argument("--keep", action="store_true", help="add to the corpus what reaches something new")
    asked = parser.parse_args()
    run = fuzz(asked.seconds, keep=asked.keep)
    found = "".join(f"  {finding}\n" for finding in run.findings)
    sys.stdout.write(f"{run.executions} inputs, {run.edges} places reached, {len(run.findings)} findings\n{found}")
    if run.findings or not run.executions:
        sys.stderr.write(run.log[-4000:])
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
