"""Figures in the text format that Prometheus and others read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from bridge.app.operating.figures import Figure

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4


def as_text(figures: Sequence[Figure]) -> bytes:
    """The exposition of these figures, and of nothing else of the process."""
    registry = CollectorRegistry()
    registry.register(_Figures(figures))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, figures: Sequence[Figure]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """One family for each name, in the order in which they came."""
        names = dict.fromkeys(figure.name for figure in self._figures)
        for name in names:
            yield _family([figure for figure in self._figures if figure.name == name])


def _family(figures: Iterable[Figure]) -> Metric:
    alike = list(figures)
    first = alike[0]
    kind = CounterMetricFamily if first.is_counter else GaugeMetricFamily
    family = kind(first.name, first.help, labels=tuple(first.labels))
    for figure in alike:
        family.add_metric(tuple(figure.labels.values()), figure.value)
    return family
