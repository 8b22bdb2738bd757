"""Documents of the trust repository: strict, bounded, each about itself only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from trust_network import member, signing_key
from tuf.api.exceptions import DownloadError

from bridge.adapters.trust.documents import (
    MAX_DOCUMENT_BYTES,
    ContactPointDocument,
    NetworkDocument,
    document_of,
    member_of,
    read_document,
    write_document,
)
from bridge.adapters.trust.mirror import MirrorFetcher
from bridge.core.errors import BadInputError


def members() -> dict[str, Any]:
    """A good document's members."""
    good: dict[str, Any] = json.loads(write_document(document_of(member("rs.ncp", signing_key("rs.ncp#sig-2026a")))))
    return good


def test_a_document_reads_as_the_member_it_was_written_from() -> None:
    given = member("rs.ncp", signing_key("rs.ncp#sig-2026a"))

    assert member_of(read_document(ContactPointDocument, write_document(document_of(given)))) == given


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("v",), 2),
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
        (("suspended",), ""),
        (("keys", 0, "kid"), "at.ncp#sig-2026a"),
        (("keys", 0, "alg"), "none"),
        (("keys", 0, "point"), "A" * 87),
        (("keys", 0, "use_until"), "2026-11-01"),
        (("keys", 0, "revoked_at"), 0),
    ],
)
def test_a_document_with_one_wrong_member_is_refused(path: tuple[str | int, ...], value: object) -> None:
    document = members()
    place: Any = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value

    with pytest.raises(BadInputError) as caught:
        read_document(ContactPointDocument, json.dumps(document).encode())
    assert caught.value.code == "E_TRUST_DOCUMENT"


@pytest.mark.parametrize("name", sorted(members()))
def test_a_document_without_one_of_its_members_is_refused(name: str) -> None:
    document = members()
    del document[name]

    with pytest.raises(BadInputError, match=name):
        read_document(ContactPointDocument, json.dumps(document).encode())


def test_one_key_twice_is_refused() -> None:
    document = members()
    document["keys"] *= 2

    with pytest.raises(BadInputError, match="twice"):
        read_document(ContactPointDocument, json.dumps(document).encode())


def test_a_member_that_stands_twice_is_refused() -> None:
    data = json.dumps(members()).replace('"v": 1', '"v": 1, "v": 1').encode()

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
