"""What a map costs: `python -m benchmarks.maps` draws each example's route and a page of corridors, many times over."""

from __future__ import annotations

import json
import time
from pathlib import Path
from statistics import median
from typing import Final

from bridge.console.language import words_of
from bridge.console.map.corridors import Flow, draw_corridors
from bridge.console.map.gazetteer import border_pairs
from bridge.console.map.legs import legs_of_body
from bridge.console.map.route import Shape, draw_route

EXAMPLES: Final = Path(__file__).parent.parent / "examples" / "alerts"
ROUNDS: Final = 20


def main() -> None:
    """Prints a line for each kind of map."""
    words = words_of("en")
    bodies = [json.loads(path.read_bytes())["body"] for path in sorted(EXAMPLES.glob("[0-9]*.json"))]
    routes = [legs for body in bodies if (legs := legs_of_body(body))]
    flows = [Flow(start, end, 11 + n) for n, (start, end) in enumerate(border_pairs())]
    started = time.perf_counter()
    draw_route(routes[0], own="RS", words=words)
    print(f"the first map of a process, which reads the data: {_ms(time.perf_counter() - started)}")
    for shape in Shape:
        times, sizes = [], []
        for _ in range(ROUNDS):
            for legs in routes:
                started = time.perf_counter()
                sizes.append(len(draw_route(legs, own="RS", words=words, shape=shape).encode()))
                times.append(time.perf_counter() - started)
        worst = sorted(times)[len(times) * 95 // 100]
        print(
            f"route, {shape.name.lower()}: {_ms(median(times))} (median), {_ms(worst)} (p95), "
            f"{median(sizes) / 1000:.0f} kB"
        )
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        draw_corridors(flows, own="RS", words=words)
        times.append(time.perf_counter() - started)
    print(f"corridors, {len(flows)} borders: {_ms(median(times))} (median)")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


if __name__ == "__main__":
    main()
