"""`network export`: the verified list as plain JSON, the same list when it is read back, and what is refused of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cli_commands import Nodes, ask, say, wire_bytes_of
from cryptography.hazmat.primitives.asymmetric import ec
from jwcrypto.jwk import JWK

from bridge.adapters.jose.key_files import FileKeys, read_secret
from bridge.adapters.trust.governance.reading import read_repository
from bridge.adapters.trust.membership.exported import directory_of, export_of
from bridge.core.errors import BadInputError

if TYPE_CHECKING:
    from conftest import Shift

Members = dict[str, Any]


@pytest.fixture(scope="module")
def exported(shift: Shift) -> Members:
    return ask("network", "export", shift.folder / "network")


def test_what_is_read_back_is_the_same_list(nodes: Nodes, exported: Members) -> None:
    directory = read_repository(nodes.network)
    read = directory_of(json.dumps(exported).encode())
    assert read.contact_points == directory.contact_points
    assert (read.signing_keys, read.encryption_keys) == (directory.signing_keys, directory.encryption_keys)
    assert (read.network, read.version, read.signed_at, read.expires) == (
        *(directory.network, directory.version),
        *(directory.signed_at, directory.expires),
    )
    assert export_of(read) == exported


def test_a_node_and_its_network_export_the_same(nodes: Nodes, exported: Members, tmp_path: Path) -> None:
    assert ask("network", "export", "--config", nodes.rs) == exported
    told = ask("network", "export", nodes.network, "--out", tmp_path / "network.json")
    assert told == {"file": str(tmp_path / "network.json"), "network": "lone", "version": exported["version"]}
    assert json.loads((tmp_path / "network.json").read_text("utf-8")) == exported


def test_another_library_takes_every_key(exported: Members) -> None:
    keys = [key for point in exported["contact_points"] for key in point["keys"]]
    assert len(keys) >= 8
    for key in keys:
        public = JWK(**key["jwk"]).get_op_key("verify")
        assert isinstance(public, ec.EllipticCurvePublicKey)
        assert key["kid"].partition("#")[0] in {point["id"] for point in exported["contact_points"]}


def test_a_list_that_does_not_verify_is_not_exported(nodes: Nodes, tmp_path: Path) -> None:
    assert say("network", "export", tmp_path / "nothing").status == 4
    assert say("network", "export").status == 2
    shutil.copytree(nodes.network / "mirror", tmp_path / "mirror")
    timestamp = tmp_path / "mirror" / "metadata" / "timestamp.json"
    timestamp.write_bytes(re.sub(rb'"version": ?[0-9]+', b'"version":70', timestamp.read_bytes()))
    said = say("network", "export", tmp_path / "mirror")
    assert (said.status, said.out) == (3, "")
    assert "does not verify" in said.err


def _first_key(members: Members) -> Members:
    key: Members = next(point for point in members["contact_points"] if point["keys"])["keys"][0]
    return key


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda members: members.pop("version"), r"\$\.version"),
        (lambda members: members.update(v=2), r"\$\.v"),
        (lambda members: members.update(extra=1), r"\$\.extra"),
        (lambda members: members.update(expires="2126-01-01T00:00:00.000Z"), r"\$\.expires"),
        (lambda members: members["contact_points"].append(members["contact_points"][0]), "stands twice"),
        (lambda members: members["contact_points"][0].update(country="XX"), "country"),
        (lambda members: members["contact_points"][0].pop("keys"), "keys: expected a list"),
        (lambda members: _first_key(members).update(alg="RS256"), r"keys\[0\]\.alg"),
        (lambda members: _first_key(members).update(kid="xx.ncp#sig-1"), "another's"),
        (lambda members: _first_key(members)["jwk"].update(x="A" * 43), "point"),
        (lambda members: _first_key(members).update(verify_until=_first_key(members)["use_until"]), "31 days"),
        (lambda members: _first_key(members)["jwk"].update(d="A" * 43), r"jwk\.d"),
    ],
)
def test_what_is_no_export_is_refused_by_its_member(
    exported: Members, change: Callable[[Members], object], named: str
) -> None:
    changed = json.loads(json.dumps(exported))
    change(changed)
    with pytest.raises(BadInputError, match=named) as refused:
        directory_of(json.dumps(changed).encode())
    assert refused.value.code in {"E_MEMBERSHIP_EXPORT", "E_TRUST_DOCUMENT"}


def test_a_member_twice_is_no_export(exported: Members) -> None:
    data = json.dumps(exported).replace('{"v": 1', '{"v": 1, "v": 1', 1).encode()
    with pytest.raises(BadInputError, match="twice"):
        directory_of(data)


def test_a_message_is_verified_by_an_export_and_a_jwk_set(
    nodes: Nodes, exported: Members, sent: str, tmp_path: Path
) -> None:
    # given the export, the recipient's keys as another program keeps them, and a message
    export = tmp_path / "network.json"
    export.write_text(json.dumps(exported), "utf-8")
    secret = read_secret(nodes.at.parent / "secrets" / "machine.key")
    held = FileKeys(nodes.at.parent / "keys" / "at.ncp", "at.ncp", machine_secret=secret)
    keys = []
    for kid in held.kids():
        key = JWK.from_pyca(held._key(kid))  # the one place where a private key leaves as a JWK
        keys.append({**json.loads(key.export_private()), "kid": kid})
    jwks, message = tmp_path / "keys.json", tmp_path / "message.json"
    jwks.write_text(json.dumps({"keys": keys}), "utf-8")
    message.write_bytes(wire_bytes_of(nodes.rs, sent))

    # then it verifies to the end, once the keys are their owner's alone
    verify = ("message", "verify", message, "--network", export, "--recipient", "at.ncp", "--keys", jwks)
    jwks.chmod(0o644)
    assert "read by others" in say(*verify).err
    jwks.chmod(0o600)
    assert ask(*verify)["step"] == 17
    jwks.write_text(json.dumps({"keys": [{**keys[0], "d": keys[1]["d"]}]}), "utf-8")
    assert say(*verify).status == 2
    jwks.write_text("[]", "utf-8")
    assert say(*verify).status == 2
