"""The fuzzer itself, in a process of its own: it instruments what it imports, and ends the process where it stops.

usage: fuzz_process.py [arguments of libFuzzer] FOLDER
"""

from __future__ import annotations

import sys

import atheris

READERS = ["bridge.core", "bridge.adapters.trust", "bridge.adapters.jose", "bridge.founding.joining"]

with atheris.instrument_imports(include=READERS):
    import fuzz_targets

if __name__ == "__main__":
    atheris.Setup(sys.argv, fuzz_targets.try_input)
    atheris.Fuzz()
