"""Strict JSON (wire-format: step 2): what other parsers let pass is refused here, at any length in bounded time."""

from __future__ import annotations

import time

import pytest

from bridge.core.wire import strict_json
from bridge.core.wire.strict_json import MAX_DEPTH, StrictJsonError

ONE_MEBIBYTE = 1024 * 1024

REFUSED = {
    "nothing": b"",
    "white space only": b" \n",
    "a byte order mark": b'\xef\xbb\xbf{"a":1}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-16 without a mark": '{"a":1}'.encode("utf-16-le"),
    "a byte that is not UTF-8": b'{"a":"\xff"}',
    "an overlong encoding": b'{"a":"\xc0\xaf"}',
    "a surrogate encoded in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "a code point beyond Unicode": b'{"a":"\xf4\x90\x80\x80"}',
    "a value after the value": b"{}{}",
    "a comma after the value": b"{},",
    "a NUL after the value": b"{}\x00",
    "a comma at the end of an object": b'{"a":1,}',
    "a comma at the end of a list": b'{"a":[1,]}',
    "a comment": b'{"a":1/**/}',
    "single quotes": b"{'a':1}",
    "a name without quotes": b"{a:1}",
    "a line break in a string": b'{"a":"\n"}',
    "a NUL in a string": b'{"a":"\x00"}',
    "an unknown escape": b'{"a":"\\x41"}',
    "an escape cut short": b'{"a":"\\u12"}',
    "a string cut short": b'{"a":"b',
    "a backslash at the end": b'{"a":"b\\',
    "white space that is not JSON's": b'{"a":\xc2\xa01}',
    "a form feed": b'{"a":\x0c1}',
    "a member twice": b'{"a":1,"b":2,"a":1}',
    "a member twice, once escaped": b'{"a":1,"\\u0061":1}',
    "a member twice, further down": b'{"a":[{"b":1,"b":1}]}',
    "an empty name twice": b'{"":1,"":1}',
    "a name twice in two spellings of one surrogate pair": b'{"\xf0\x9f\x9a\x90":1,"\\ud83d\\ude90":1}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "-Infinity": b'{"a":-Infinity}',
    "a float": b'{"a":1.5}',
    "a float that is whole": b'{"a":1.0}',
    "an exponent": b'{"a":1e3}',
    "an exponent beyond every float": b'{"a":1e999}',
    "a leading zero": b'{"a":01}',
    "a leading plus": b'{"a":+1}',
    "a lone minus": b'{"a":-}',
    "a hexadecimal number": b'{"a":0x1}',
    "2^53": b'{"a":9007199254740992}',
    "-2^53": b'{"a":-9007199254740992}',
    "5,000 digits": b'{"a":' + b"9" * 5000 + b"}",
    "a lone high surrogate": b'{"a":"\\ud800"}',
    "a lone low surrogate": b'{"a":"\\uDC00"}',
    "surrogates the wrong way round": b'{"a":"\\udc00\\ud800"}',
    "a lone surrogate in a name": b'{"\\ud800":1}',
    "a lone surrogate far down": b'{"a":[[{"b":["\\uD9ff!"]}]]}',
    "one level too many, lists": b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    "one level too many, objects": b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
    "one level too many behind a quoted bracket": b'["]\\"]",' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"]",
    "100,000 levels never closed": b"[" * 100_000,
}

ACCEPTED = {
    "an object": (b'{"a":1}', {"a": 1}),
    "white space of all four kinds": (b' \t\r\n{ "a" : [ 1 , true , null ] } ', {"a": [1, True, None]}),
    "2^53 - 1": (b"[9007199254740991,-9007199254740991]", [2**53 - 1, 1 - 2**53]),
    "text from all planes": ('{"a":"ж☎🚐"}'.encode(), {"a": "ж☎🚐"}),
    "a surrogate pair in escapes": (b'{"a":"\\ud83d\\ude90"}', {"a": "🚐"}),
    "an escaped backslash before ud800": (b'{"a":"\\\\ud800"}', {"a": "\\ud800"}),
    "the same name in two objects": (b'{"a":{"a":1}}', {"a": {"a": 1}}),
    "names that differ in case or form": (
        b'{"a":1,"A":2,"\xc3\xa9":3,"e\xcc\x81":4}',
        {"a": 1, "A": 2, "\u00e9": 3, "e\u0301": 4},
    ),
    "brackets in a string are no levels": (b'{"a":"' + b"[" * 1000 + b'"}', {"a": "[" * 1000}),
    "brackets side by side are no levels": (b"[" + b",".join([b"[]"] * 1000) + b"]", [[]] * 1000),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_is_not_strict_json_is_refused(data: bytes) -> None:
    with pytest.raises(StrictJsonError):
        strict_json.parse(data)


@pytest.mark.parametrize(("data", "value"), ACCEPTED.values(), ids=ACCEPTED)
def test_strict_json_is_read(data: bytes, value: object) -> None:
    assert strict_json.parse(data) == value


def test_the_greatest_depth_is_read() -> None:
    # given
    data = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    # when
    value = strict_json.parse(data)
    # then
    for _ in range(MAX_DEPTH - 1):
        assert isinstance(value, list)
        (value,) = value
    assert value == []


@pytest.mark.parametrize("data", [b"[]", b'"a"', b"1", b"true", b"null"])
def test_an_object_is_wanted_where_an_object_is_asked_for(data: bytes) -> None:
    with pytest.raises(StrictJsonError, match="object"):
        strict_json.parse_object(data)


HOSTILE = {
    "a string never closed, full of escaped quotes": b"[" * 25 + b'"' + b'\\"' * (ONE_MEBIBYTE // 2 - 20),
    "quotes only": b"[" * 25 + b'"' * (ONE_MEBIBYTE - 25),
    "escaped line breaks": b"[" * 25 + b'"\\\n' * (ONE_MEBIBYTE // 3 - 20),
    "brackets only": b"[" * ONE_MEBIBYTE,
    "digits only": b"9" * ONE_MEBIBYTE,
    "lone surrogates only": b'["' + b"\\ud800" * (ONE_MEBIBYTE // 6 - 2) + b'"]',
    "80,000 members, the last one twice": (
        b"{" + b",".join(b'"%05x":1' % number for number in range(80_000)) + b',"1387f":1}'
    ),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_mebibyte_of_spite_is_refused_in_less_than_two_seconds(data: bytes) -> None:
    # given
    assert len(data) <= ONE_MEBIBYTE
    begun = time.process_time()
    # when
    with pytest.raises(StrictJsonError):
        strict_json.parse(data)
    # then: quadratic work on a mebibyte would take hours
    assert time.process_time() - begun < 2


def test_what_is_encoded_is_compact_utf_8_and_reads_back() -> None:
    # given
    value = {"b": ["ж☎🚐", 1, None], "a": True}
    # when
    data = strict_json.encode(value)
    # then
    assert data == '{"b":["ж☎🚐",1,null],"a":true}'.encode()
    assert strict_json.parse(data) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_no_reader_would_accept_is_not_encoded(value: object) -> None:
    with pytest.raises(ValueError, match=r"JSON compliant|surrogates"):
        strict_json.encode(value)
