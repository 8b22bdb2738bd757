from __future__ import annotations

from bridge.console.language import words_of
from bridge.console.map.corridors import Flow, draw_corridors, steps_of

FLOWS = [Flow("RS", "HU", 34), Flow("HU", "RS", 12), Flow("HU", "AT", 47), Flow("SK", "AT", None), Flow("RS", "DE", 20)]


def test_counts_stand_on_their_lines_and_suppressed_ones_are_not_drawn() -> None:
    svg = draw_corridors(FLOWS, own="HU", words=words_of("en"))

    assert all(f">{count}</text>" in svg for count in (34, 12, 47))
    assert "Slovakia" not in svg
    assert 'class="hub own"' in svg
    assert "style=" not in svg


def test_countries_without_a_common_border_are_left_to_the_table() -> None:
    assert ">20</text>" not in draw_corridors(FLOWS, own="HU", words=words_of("en"))


def test_the_five_steps_cover_every_count() -> None:
    assert steps_of(FLOWS)[0] == 12
    assert len(steps_of(FLOWS)) == 5
    assert steps_of([Flow("RS", "HU", 11)]) == [11]
    assert steps_of([]) == []


def test_without_a_count_there_is_no_map() -> None:
    assert draw_corridors([Flow("SK", "AT", None)], own="HU", words=words_of("en")) == ""
