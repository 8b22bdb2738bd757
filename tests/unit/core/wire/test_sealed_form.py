"""The sealed body's form (wire-format: Sealed body): one spelling of one JWE, told apart before any cryptography."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.core.wire import base64url
from bridge.core.wire.sealed import SealedFormError, parse_sealed, protected_text, seal_binding, sealed_text

if TYPE_CHECKING:
    from collections.abc import Callable

    Edit = Callable[[dict[str, Any]], object]

KIDS = ["at.ncp#enc-2026a", "hu.ncp#enc-2026b"]


def bytes_text(length: int) -> str:
    return base64url.encode(b"\x01" * length)


def recipient(kid: str) -> dict[str, Any]:
    epk = {"kty": "EC", "crv": "P-256", "x": bytes_text(32), "y": bytes_text(32)}
    return {"header": {"alg": "ECDH-ES+A256KW", "kid": kid, "epk": epk}, "encrypted_key": bytes_text(40)}


def jwe_with(edit: Edit = lambda _: None) -> str:
    jwe = {
        "protected": "eyJlbmMiOiJBMjU2R0NNIn0",
        "recipients": [recipient(kid) for kid in KIDS],
        "aad": bytes_text(50),
        "iv": bytes_text(12),
        "ciphertext": bytes_text(100),
        "tag": bytes_text(16),
    }
    edit(jwe)
    return json.dumps(jwe)


def having(**members: object) -> Edit:
    return lambda jwe: jwe.update(members)


def first(**members: object) -> Edit:
    return lambda jwe: jwe["recipients"][0].update(members)


def first_header(**members: object) -> Edit:
    return lambda jwe: jwe["recipients"][0]["header"].update(members)


def first_point(**members: object) -> Edit:
    return lambda jwe: jwe["recipients"][0]["header"]["epk"].update(members)


def protected_as(header: object) -> Edit:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return having(protected=base64url.encode(text))


REFUSED: dict[str, Edit] = {
    "the flattened form": lambda jwe: jwe.update(jwe.pop("recipients")[0]),
    "an unprotected header": having(unprotected={}),
    "no recipients": having(recipients=[]),
    "65 recipients": having(recipients=[recipient(f"at.desk-{number}#enc-a") for number in range(65)]),
    "recipients that are an object": having(recipients={}),
    "a recipient that is a text": having(recipients=["at.ncp"]),
    "a recipient with a member more": first(kid="at.ncp#enc-2026a"),
    "a recipient without its key": lambda jwe: jwe["recipients"][0].pop("encrypted_key"),
    "a recipient's header that is a text": first(header="{}"),
    "another key algorithm": first_header(alg="ECDH-ES"),
    "a key algorithm that is a list": first_header(alg=["ECDH-ES+A256KW"]),
    "apu in a header": first_header(apu="AAAA"),
    "apv in a header": first_header(apv="AAAA"),
    "enc in a header": first_header(enc="A256GCM"),
    "a header without kid": lambda jwe: jwe["recipients"][0]["header"].pop("kid"),
    "a kid without owner": first_header(kid="#enc-2026a"),
    "a kid that is null": first_header(kid=None),
    "another curve": first_point(crv="P-384"),
    "another key type": first_point(kty="OKP"),
    "a private key in epk": first_point(d=bytes_text(32)),
    "an epk without y": lambda jwe: jwe["recipients"][0]["header"]["epk"].pop("y"),
    "an x of 31 bytes": first_point(x=bytes_text(31)),
    "a y of 33 bytes": first_point(y=bytes_text(33)),
    "a padded x": first_point(x=bytes_text(32) + "="),
    "an epk that is a text": first_header(epk="AAAA"),
    "a wrapped key of 24 bytes": first(encrypted_key=bytes_text(24)),
    "a wrapped key with loose bits": first(encrypted_key=bytes_text(40)[:-1] + "R"),
    "an iv of 16 bytes": having(iv=bytes_text(16)),
    "no iv": lambda jwe: jwe.pop("iv"),
    "a tag of 12 bytes": having(tag=bytes_text(12)),
    "a tag of 15 bytes": having(tag=bytes_text(15)),
    "an empty ciphertext": having(ciphertext=""),
    "a ciphertext of 128 KiB and a byte": having(ciphertext=bytes_text(128 * 1024 + 1)),
    "a ciphertext that is a list": having(ciphertext=["AAAA"]),
    "an aad that is no base64url": having(aad="ncp-bridge-seal-1\n"),
    "no aad": lambda jwe: jwe.pop("aad"),
    "another content algorithm": protected_as({"enc": "A128GCM"}),
    "zip in the protected header": protected_as({"enc": "A256GCM", "zip": "DEF"}),
    "crit in the protected header": protected_as({"enc": "A256GCM", "crit": ["exp"]}),
    "alg in the protected header": protected_as({"enc": "A256GCM", "alg": "ECDH-ES+A256KW"}),
    "an empty protected header": protected_as({}),
    "enc twice": protected_as(b'{"enc":"A128GCM","enc":"A256GCM"}'),
    "a protected header that is a list": protected_as([]),
    "a protected header that is no text": having(protected={"enc": "A256GCM"}),
    "a protected header that is no JSON": having(protected="AAAA"),
}


@pytest.mark.parametrize("edit", REFUSED.values(), ids=REFUSED)
def test_what_is_not_exactly_the_jwe_is_refused(edit: Edit) -> None:
    with pytest.raises(SealedFormError):
        parse_sealed(jwe_with(edit))


@pytest.mark.parametrize("text", ["", "{}", "[]", "AAAA.AAAA.AAAA.AAAA.AAAA", '{"iv":"\ud800"}', '{"a":1,"a":1}'])
def test_what_is_no_json_object_or_another_one_is_refused(text: str) -> None:
    with pytest.raises(SealedFormError):
        parse_sealed(text)


def test_a_jwe_is_read_part_by_part() -> None:
    # when
    body = parse_sealed(jwe_with())
    # then
    assert [entry.kid for entry in body.entries] == KIDS
    assert body.entries[0].ephemeral_point == b"\x04" + b"\x01" * 64
    assert body.entries[0].wrapped_key == b"\x01" * 40
    assert (body.iv, body.tag, body.ciphertext) == (b"\x01" * 12, b"\x01" * 16, b"\x01" * 100)
    assert body.additional_data == f"eyJlbmMiOiJBMjU2R0NNIn0.{bytes_text(50)}".encode()


def test_a_protected_header_may_be_spaced_freely_and_its_text_is_what_the_tag_covers() -> None:
    # when
    body = parse_sealed(jwe_with(protected_as(b'{ "enc" : "A256GCM" }')))
    # then
    assert body.additional_data.startswith(base64url.encode(b'{ "enc" : "A256GCM" }').encode() + b".")


@pytest.mark.parametrize("length", [1, 128 * 1024])
def test_a_ciphertext_of_one_byte_to_128_kib_is_read(length: int) -> None:
    assert len(parse_sealed(jwe_with(having(ciphertext=bytes_text(length)))).ciphertext) == length


def test_what_is_written_is_what_is_read_and_is_the_specified_json() -> None:
    # given
    body = parse_sealed(jwe_with())
    # when
    text = sealed_text(body)
    # then
    assert parse_sealed(text) == body
    assert json.loads(text) == json.loads(jwe_with())
    assert protected_text() == "eyJlbmMiOiJBMjU2R0NNIn0"


def test_the_binding_names_message_sender_and_recipients() -> None:
    # when
    aad = seal_binding("0193b0a0-89ab-7000-8000-0123456789ab", "rs.ncp", ("at.ncp", "hu.ncp"))
    # then
    expected = b"ncp-bridge-seal-1\n0193b0a0-89ab-7000-8000-0123456789ab\nrs.ncp\nat.ncp,hu.ncp"
    assert base64url.decode(aad) == expected
