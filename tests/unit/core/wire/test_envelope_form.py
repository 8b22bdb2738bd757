"""The envelope's form (wire-format: Envelope; steps 1 to 4), and which of two faults names the code."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.core.errors import VerificationError
from bridge.core.wire import base64url
from bridge.core.wire.envelope import (
    MAX_MESSAGE_BYTES,
    TYP_CONTROL,
    TYP_SEALED,
    build_envelope,
    parse_envelope,
    protected_header,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Edit = Callable[[dict[str, Any]], object]

HEADER = {"alg": "ES256", "kid": "rs.ncp#sig-2026a", "typ": "ncp-bridge+jws"}
CONTROL_HEADER = HEADER | {"typ": "ncp-bridge-control+jws"}
ENVELOPE = {"payload": "eyJ2IjoxfQ", "signatures": [{"protected": "", "signature": "AAAA"}], "sealed": "{}"}


def text_of(header: object) -> str:
    return base64url.encode(json.dumps(header).encode())


def envelope_with(header: object = HEADER, edit: Edit = lambda _: None) -> bytes:
    envelope = copy.deepcopy(ENVELOPE)
    envelope["signatures"][0]["protected"] = header if isinstance(header, str) else text_of(header)  # type: ignore[index]
    edit(envelope)
    return json.dumps(envelope).encode()


def without(name: str) -> Edit:
    return lambda envelope: envelope.pop(name)


def having(**members: object) -> Edit:
    return lambda envelope: envelope.update(members)


def first_signature(**members: object) -> Edit:
    return lambda envelope: envelope["signatures"][0].update(members)


def refusal_of(wire_bytes: bytes) -> tuple[int, str]:
    with pytest.raises(VerificationError) as refused:
        parse_envelope(wire_bytes)
    return refused.value.step, refused.value.code


NOT_THE_ENVELOPE = {
    "a list": b"[]",
    "a text": b'"payload"',
    "an unprotected header": envelope_with(edit=first_signature(header={})),
    "a member more": envelope_with(edit=having(header={})),
    "the flattened form": envelope_with(edit=lambda each: each.update(each.pop("signatures")[0])),
    "no payload": envelope_with(edit=without("payload")),
    "no signatures": envelope_with(edit=without("signatures")),
    "no sealed": envelope_with(edit=without("sealed")),
    "an empty payload": envelope_with(edit=having(payload="")),
    "a payload that is no text": envelope_with(edit=having(payload=1)),
    "a padded payload": envelope_with(edit=having(payload="eyJ2IjoxfQ==")),
    "a payload with loose bits": envelope_with(edit=having(payload="eyJ2IjoxfR")),
    "a payload in base64": envelope_with(edit=having(payload="+/+/")),
    "sealed that is an object": envelope_with(edit=having(sealed={})),
    "sealed that is null": envelope_with(edit=having(sealed=None)),
    "sealed that is empty": envelope_with(edit=having(sealed="")),
    "signatures that are an object": envelope_with(edit=having(signatures={})),
    "an empty list of signatures": envelope_with(edit=having(signatures=[])),
    "four signatures": envelope_with(edit=lambda each: each.update(signatures=each["signatures"] * 4)),
    "a signature that is a text": envelope_with(edit=having(signatures=["AAAA"])),
    "a signature without its header": envelope_with(edit=having(signatures=[{"signature": "AAAA"}])),
    "a signature without its value": envelope_with(edit=lambda each: each["signatures"][0].pop("signature")),
    "an empty signature": envelope_with(edit=first_signature(signature="")),
    "a signature with a line break": envelope_with(edit=first_signature(signature="AAAA\n")),
    "a header that is no base64url": envelope_with(header="{}"),
    "a header that is an object": envelope_with(edit=first_signature(protected=HEADER)),
    "sealed beside the control typ": envelope_with(header=CONTROL_HEADER),
    "an unknown typ without sealed": envelope_with(header=HEADER | {"typ": "JOSE"}, edit=without("sealed")),
    "an unreadable header without sealed": envelope_with(header="AAAA", edit=without("sealed")),
    # Two faults: step 3 comes before step 4.
    "a member more and alg none": envelope_with(header=HEADER | {"alg": "none"}, edit=having(unprotected={})),
    "a control typ with sealed and alg none": envelope_with(header=CONTROL_HEADER | {"alg": "none"}),
}

NOT_THE_HEADER = {
    "not JSON": envelope_with(header=base64url.encode(b"alg")),
    "a list": envelope_with(header=["ES256"]),
    "a member twice": envelope_with(
        header=base64url.encode(b'{"alg":"none","alg":"ES256","kid":"rs.ncp#a","typ":"ncp-bridge+jws"}')
    ),
    "a byte order mark": envelope_with(header=base64url.encode(b"\xef\xbb\xbf" + json.dumps(HEADER).encode())),
    **{
        f"the name {name}": envelope_with(header=HEADER | {name: value})
        for name, value in {
            "crit": ["exp"],
            "jku": "https://attacker.example",
            "jwk": {"kty": "EC"},
            "x5u": "https://attacker.example",
            "x5c": ["AAAA"],
            "zip": "DEF",
            "b64": False,
            "x5t#S256": "AAAA",
            "iat": 1,
            "cty": "json",
            "enc": "A256GCM",
        }.items()
    },
    **{
        f"no {name}": envelope_with(header={key: value for key, value in HEADER.items() if key != name})
        for name in HEADER
    },
    **{
        f"alg {alg!r}": envelope_with(header=HEADER | {"alg": alg})
        for alg in ("none", "None", "", "es256", "ES256 ", "HS256", "ES384", "ES256K", "EdDSA", "RS256", "ML-DSA-65")
    },
    **{
        f"{name} as {value!r}": envelope_with(header=HEADER | {name: value})
        for name in HEADER
        for value in (None, 1, True, ["ES256"], {"alg": "ES256"})
    },
    **{
        f"typ {typ!r}": envelope_with(header=HEADER | {"typ": typ})
        for typ in ("JOSE", "NCP-BRIDGE+JWS", "application/ncp-bridge+jws", "ncp-bridge+jws ", "")
    },
    **{
        f"kid {kid!r}": envelope_with(header=HEADER | {"kid": kid})
        for kid in ("rs.ncp", "rs.ncp#", "#a", "RS.ncp#a", "rs.ncp#a#b", "rs.ncp#a\n", "rs.ncp#A", "srb.ncp#a", "rs.#a")
    },
    "two signatures of different typ": envelope_with(
        edit=lambda each: (
            each.pop("sealed"),
            each["signatures"].append({"protected": text_of(CONTROL_HEADER), "signature": "AAAA"}),
        )
    ),
}


@pytest.mark.parametrize("wire_bytes", NOT_THE_ENVELOPE.values(), ids=NOT_THE_ENVELOPE)
def test_what_is_not_exactly_the_envelope_is_refused_at_step_3(wire_bytes: bytes) -> None:
    assert refusal_of(wire_bytes) == (3, "E_ENVELOPE")


@pytest.mark.parametrize("wire_bytes", NOT_THE_HEADER.values(), ids=NOT_THE_HEADER)
def test_what_is_not_exactly_the_header_is_refused_at_step_4(wire_bytes: bytes) -> None:
    assert refusal_of(wire_bytes) == (4, "E_HEADER")


def test_one_mebibyte_is_read_and_one_byte_more_is_refused() -> None:
    # given
    small = envelope_with()
    padded = small + b" " * (MAX_MESSAGE_BYTES - len(small))
    # when
    envelope = parse_envelope(padded)
    # then
    assert MAX_MESSAGE_BYTES == 1048576
    assert envelope.payload_bytes == b'{"v":1}'
    assert refusal_of(padded + b" ") == (1, "E_SIZE")


def test_the_size_is_judged_before_anything_is_parsed() -> None:
    assert refusal_of(b"\xff" * (MAX_MESSAGE_BYTES + 1)) == (1, "E_SIZE")


@pytest.mark.parametrize("wire_bytes", [b"", b"\xff", b'{"payload":"a","payload":"a"}', b"[" * 10_000, b"{} {}"])
def test_what_is_not_strict_json_is_refused_at_step_2(wire_bytes: bytes) -> None:
    assert refusal_of(wire_bytes) == (2, "E_JSON")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_one_to_three_signatures_are_read(count: int) -> None:
    # when
    envelope = parse_envelope(envelope_with(edit=lambda each: each.update(signatures=each["signatures"] * count)))
    # then
    assert [(part.alg, part.kid, part.typ) for part in envelope.signatures] == [
        ("ES256", "rs.ncp#sig-2026a", "ncp-bridge+jws")
    ] * count


def test_a_control_message_has_no_sealed() -> None:
    # when
    envelope = parse_envelope(envelope_with(header=CONTROL_HEADER, edit=without("sealed")))
    # then
    assert envelope.is_control
    assert envelope.sealed is None


def test_a_header_may_be_spaced_and_ordered_freely_and_what_is_signed_is_its_text() -> None:
    # given
    protected = base64url.encode(b'{ "typ" : "ncp-bridge+jws",\n"kid":"rs.ncp#sig-2026a", "alg":"ES256" }')
    # when
    envelope = parse_envelope(envelope_with(header=protected))
    # then
    assert envelope.signing_input(envelope.signatures[0]) == f"{protected}.eyJ2IjoxfQ".encode()


@pytest.mark.parametrize(("typ", "sealed"), [(TYP_SEALED, '{"iv":"ж"}'), (TYP_CONTROL, None)])
def test_what_is_built_is_what_is_parsed(typ: str, sealed: str | None) -> None:
    # given
    protected = protected_header(alg="ES256", kid="rs.ncp#sig-2026a", typ=typ)
    # when
    envelope = parse_envelope(build_envelope(b'{"v":1}', [(protected, b"\x00\xff")], sealed))
    # then
    assert json.loads(base64url.decode(protected)) == HEADER | {"typ": typ}
    assert envelope.payload_bytes == b'{"v":1}'
    assert envelope.sealed == sealed
    assert [part.signature_bytes for part in envelope.signatures] == [b"\x00\xff"]
