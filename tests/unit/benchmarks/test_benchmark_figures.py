"""The benchmarks' own arithmetic, and that they still fit the product that they measure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import trust
from benchmarks.carrying import ONE_PROCESS, Burst, CarryingFigure
from benchmarks.crypto import RECIPIENTS, measure_crypto
from benchmarks.report import Figures, as_json, as_text
from benchmarks.signing_in import CERTIFICATE, SigningInFigure
from benchmarks.submitting import latency_of
from benchmarks.token_keys import KeysFigure, measure_keys
from benchmarks.urgency import OUTBOX, UrgencyFigure


def _figure() -> CarryingFigure:
    bridge = tuple(Burst(100, seconds, (1000.0, 500.0), 300.0) for seconds in (2.0, 1.0, 4.0))
    bare = tuple(Burst(100, seconds, (800.0, 0.0), None) for seconds in (1.0, 0.5, 2.0))
    return CarryingFigure(ONE_PROCESS, bridge, bare)


def test_the_ratio_of_rates_is_the_median_of_runs_made_side_by_side() -> None:
    bridge = tuple(Burst(100, seconds, (1.0,), None) for seconds in (2.0, 1.0, 1.0))
    bare = tuple(Burst(100, seconds, (1.0,), None) for seconds in (1.0, 0.8, 0.1))

    assert CarryingFigure(ONE_PROCESS, bridge, bare).ratio == pytest.approx(0.5)


def test_the_ratio_of_cpu_time_counts_every_process_and_the_broker() -> None:
    bridge = (Burst(100, 1.0, (600.0, 300.0), 100.0),)
    bare = (Burst(100, 1.0, (150.0, 150.0), 200.0),)

    assert CarryingFigure(ONE_PROCESS, bridge, bare).cpu_ratio == pytest.approx(2.0)


def test_latencies_are_given_in_milliseconds() -> None:
    figure = latency_of([index / 1000 for index in range(1, 101)], pause=0.05)

    assert figure.per_second == pytest.approx(20)
    assert figure.p50_ms == pytest.approx(50.5)
    assert 99 <= figure.p99_ms <= 100


def test_every_operation_is_measured_for_every_number_of_recipients_beside_the_bare_primitives() -> None:
    figures = measure_crypto(rounds=1, repeats=3)

    assert {(figure.operation, figure.recipients) for figure in figures} == {
        (operation, count)
        for operation in ("seal and sign", "verify and open", "steps 1 to 17")
        for count in RECIPIENTS
    }
    assert all(figure.bridge_us > 0 and figure.bare_us > 0 for figure in figures)


def test_the_object_and_the_table_hold_both_sides_and_leave_out_what_was_not_measured() -> None:
    figures = Figures(machine={"cores": 2}, carrying=[_figure()])

    told = json.loads(json.dumps(as_json(figures)))

    (carrying,) = told["carrying"]
    assert carrying["ratio"] == 0.5
    assert carrying["bridge"] == {
        "alerts_per_second": 50.0,
        "runs": [50.0, 100.0, 25.0],
        "client_cpu_us": 1500,
        "process_cpu_us": [1000, 500],
        "broker_cpu_us": 300,
    }
    assert carrying["bare"]["broker_cpu_us"] is None
    assert told["latency"] is None
    assert "1000 + 500" in as_text(figures)


def test_signing_in_is_told_for_both_ways() -> None:
    figures = Figures(signing_in=[SigningInFigure(CERTIFICATE, 30, 12.34, 5678.9)])

    told = json.loads(json.dumps(as_json(figures)))

    assert told["signing_in"] == [
        {"way": "certificate, TLS 1.3", "connections": 30, "milliseconds": 12.3, "cpu_us": 5679}
    ]
    assert "12.3" in as_text(figures)


def test_urgency_is_told_as_median_and_worst_with_how_many_still_waited() -> None:
    figures = Figures(urgency=[UrgencyFigure(OUTBOX, 10_000, seconds=(0.2, 1.5, 0.4), left=7000)])

    told = json.loads(json.dumps(as_json(figures)))

    assert told["urgency"] == [
        {
            "place": "the sender's outbox",
            "backlog": 10_000,
            "immediate": 3,
            "median_ms": 400,
            "worst_ms": 1500,
            "still_waiting": 7000,
        }
    ]
    assert "3 immediate alerts, 10000 routine ones waiting in" in as_text(figures).lower()


@pytest.mark.usefixtures("softhsm")
def test_signing_and_opening_are_measured_with_keys_in_files_and_on_a_token(tmp_path: Path) -> None:
    figures = measure_keys(tmp_path / "keys", rounds=1, repeats=2)

    assert [figure.operation for figure in figures] == ["sign", "open"]
    assert all(figure.files_per_second > 0 and figure.token_per_second > 0 for figure in figures)


def test_keys_are_told_as_operations_a_second() -> None:
    figures = Figures(keys=[KeysFigure("sign", 25_000.4, 11_000.0)])

    told = json.loads(json.dumps(as_json(figures)))

    assert told["keys"] == [{"operation": "sign", "files_per_second": 25_000, "token_per_second": 11_000}]
    assert "11000" in as_text(figures)


def test_the_cost_of_trust_is_measured_for_the_list_and_for_each_of_its_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("COUNTRIES", 2), ("POINTS_EACH", 2), ("LIST_SIZES", (3, 4))):
        monkeypatch.setattr(trust, name, value)

    figures = trust.measure_trust(tmp_path, rounds=1)

    told = json.loads(json.dumps(as_json(Figures(trust=figures))))["trust"]
    assert set(told["verify_cpu_us"]) == {"3", "4"}
    assert all(one["milliseconds"] > 0 for one in told["list"].values())
    assert "MEMBERSHIP LIST OF 4 CONTACT POINTS" in as_text(Figures(trust=figures))
