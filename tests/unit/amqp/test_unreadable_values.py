"""Values that no broker checks and the library cannot decode: read as what they are, and of the right length."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

import pamqp.decode
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import encode

from bridge.adapters.amqp.unreadable import tolerate_unreadable_properties


@pytest.fixture(autouse=True, scope="module")
def _tolerant() -> None:
    tolerate_unreadable_properties()


def decoded(kind: str, value_bytes: bytes) -> tuple[int, object]:
    taken, value = pamqp.decode.METHODS[kind](value_bytes)
    return taken, value


@given(st.binary(max_size=255), st.binary(max_size=20))
def test_any_short_string_is_read_to_its_end_and_no_further(text_bytes: bytes, behind_bytes: bytes) -> None:
    taken, value = decoded("shortstr", bytes([len(text_bytes)]) + text_bytes + behind_bytes)
    assert taken == len(text_bytes) + 1
    assert value == text_bytes.decode("utf-8", errors="backslashreplace")


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_any_header_table_is_passed_over_in_full(entries_bytes: bytes, behind_bytes: bytes) -> None:
    taken, value = decoded("table", struct.pack(">I", len(entries_bytes)) + entries_bytes + behind_bytes)
    assert taken == len(entries_bytes) + 4
    assert isinstance(value, dict)


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_any_timestamp_is_a_time_or_nothing(seconds: int) -> None:
    taken, value = decoded("timestamp", struct.pack(">Q", seconds))
    assert taken == 8
    assert value is None or (isinstance(value, datetime) and value.tzinfo is UTC)


def test_what_can_be_read_is_read_as_before() -> None:
    table = {"CC": ["a.b"], "x-delivery-count": 3, "nested": {"a": None, "b": True}}
    assert decoded("table", encode.field_table(table))[1] == table
    assert decoded("shortstr", encode.short_string("žćč")) == (7, "žćč")
