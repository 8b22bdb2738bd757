"""Documents of the trust repository: strict, bounded, each about itself only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from trust_network import contact_point, sealing_key, signing_key
from tuf.api.exceptions import DownloadError

from bridge.adapters.trust.membership.documents import contact_point_document, contact_point_of, keys_document, keys_of
from bridge.adapters.trust.membership.forms import (
    MAX_DOCUMENT_BYTES,
    ContactPointDocument,
    KeysDocument,
    NetworkDocument,
    read_document,
    write_document,
)
from bridge.adapters.trust.membership.mirror import MirrorFetcher
from bridge.core.directory import DutyOffice
from bridge.core.errors import BadInputError


def members() -> dict[str, Any]:
    """A good document's members."""
    good: dict[str, Any] = json.loads(write_document(contact_point_document(contact_point("rs.ncp"))))
    return good


def key_members() -> dict[str, Any]:
    """The members of a good document of keys."""
    keys = [signing_key("rs.ncp#sig-2026a")]
    good: dict[str, Any] = json.loads(write_document(keys_document("rs", keys)))
    return good


def with_another(document: dict[str, Any], path: tuple[str | int, ...], value: object) -> bytes:
    """The document with one member changed."""
    place: Any = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return json.dumps(document).encode()


def test_a_document_reads_as_the_contact_point_it_was_written_from() -> None:
    given = contact_point("rs.ncp", duty_office=DutyOffice(email="duty@example.org"), deputies=("rs.border-police",))

    assert contact_point_of(read_document(ContactPointDocument, write_document(contact_point_document(given)))) == given


def test_a_document_reads_as_the_keys_it_was_written_from() -> None:
    keys = (sealing_key("rs.ncp#enc-2026a"), signing_key("rs.ncp#sig-2026a"))

    assert keys_of(read_document(KeysDocument, write_document(keys_document("rs", keys)))) == keys


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("v",), 1),
        (("v",), True),
        (("extra",), 1),
        (("id",), "at.ncp"),
        (("id",), "rs.ncp\n"),
        (("country",), "AT"),
        (("country",), None),
        (("mode",), "draft"),
        (("statuses",), ["draft"]),
        (("signature_policy",), []),
        (("sends",), ["route_alert", "route_alert"]),
        (("sends",), "route_alert"),
        (("sends",), ["route_alert"] * 65),
        (("remit", "crossings"), [""]),
        (("remit", "children_only"), 1),
        (("accounts", "relay"), None),
        (("duty_office",), {"phone": "1"}),
        (("deputies",), ["ncp"]),
        (("suspended",), ""),
    ],
)
def test_a_document_with_one_wrong_member_is_refused(path: tuple[str | int, ...], value: object) -> None:
    with pytest.raises(BadInputError) as caught:
        read_document(ContactPointDocument, with_another(members(), path, value))
    assert caught.value.code == "E_TRUST_DOCUMENT"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("v",), 1),
        (("member",), "at"),
        (("contact_points",), {"at.ncp": []}),
        (("contact_points", "rs.ncp", 0, "kid"), "rs.other#sig-2026a"),
        (("contact_points", "rs.ncp", 0, "alg"), "none"),
        (("contact_points", "rs.ncp", 0, "point"), "A" * 87),
        (("contact_points", "rs.ncp", 0, "use_until"), "2026-11-01"),
        (("contact_points", "rs.ncp", 0, "revoked_at"), 0),
    ],
)
def test_keys_with_one_wrong_member_are_refused(path: tuple[str | int, ...], value: object) -> None:
    with pytest.raises(BadInputError) as caught:
        read_document(KeysDocument, with_another(key_members(), path, value))
    assert caught.value.code == "E_TRUST_DOCUMENT"


@pytest.mark.parametrize("name", sorted(members()))
def test_a_document_without_one_of_its_members_is_refused(name: str) -> None:
    document = members()
    del document[name]

    with pytest.raises(BadInputError, match=name):
        read_document(ContactPointDocument, json.dumps(document).encode())


def test_one_key_twice_is_refused() -> None:
    document = key_members()
    document["contact_points"]["rs.ncp"] *= 2

    with pytest.raises(BadInputError, match="twice"):
        read_document(KeysDocument, json.dumps(document).encode())


def test_a_member_that_stands_twice_is_refused() -> None:
    data = json.dumps(members()).replace('"v": 2', '"v": 2, "v": 2').encode()

    with pytest.raises(BadInputError, match="stands twice"):
        read_document(ContactPointDocument, data)


def test_a_document_beyond_its_limit_is_refused_unread() -> None:
    with pytest.raises(BadInputError, match="larger than"):
        read_document(NetworkDocument, b" " * (MAX_DOCUMENT_BYTES + 1))


@pytest.mark.parametrize(
    "url",
    [
        "metadata/../../../etc/passwd",
        "/etc/passwd",
        "metadata/role.json",
        "targets/network.json",
        "targets/contact-points/x.json",
    ],
)
def test_nothing_but_a_repositorys_own_files_is_read_from_the_mirror(url: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="no file of a trust repository"):
        MirrorFetcher(tmp_path).fetch(url)
