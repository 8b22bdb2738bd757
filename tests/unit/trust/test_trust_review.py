"""A change says what is shown of it and nothing more, or it is not shown at all."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner
from trust_network import FOUNDED, World, contact_point, signing_key
from tuf.api.metadata import Metadata, Role, TargetFile

from bridge.adapters.trust.governance.changes import Holders, keys_change, revocation_change, root_change
from bridge.adapters.trust.governance.publication import Publication, read_publication
from bridge.adapters.trust.governance.review import review
from bridge.adapters.trust.membership.documents import keys_document
from bridge.adapters.trust.membership.forms import ContactPointDocument, Suspension, read_document, write_document
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.core.errors import BridgeError, RefusedError

AT_FILE = "contact-points/at.ncp.json"


@pytest.fixture
def present(world: World) -> VerifiedList:
    """The list with one member that publishes its keys."""
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    return world.repository.verified(at=FOUNDED)


@pytest.fixture
def change(world: World, present: VerifiedList) -> Publication:
    """Governance renames at.ncp, and its root is signed anew."""
    root = present.root
    governance = Holders([root.keys[keyid] for keyid in root.roles["root"].keyids], 2)
    online = {role: root.keys[root.roles[role].keyids[0]] for role in ("snapshot", "timestamp")}
    renewed = root_change(present, governance=governance, online=online, at=FOUNDED)
    return renewed.joined_with(world.revision(present, contact_point("at.ncp", name="Vienna")))


def signed_part(change: Publication, role: str) -> Any:  # noqa: ANN401 - python-tuf's forms
    return change.metadata[role].signed


def member_role(change: Publication) -> Any:  # noqa: ANN401 - python-tuf's forms
    return signed_part(change, "targets").delegations.roles["member-rs"]


def another_key() -> Any:  # noqa: ANN401 - python-tuf's forms
    return CryptoSigner.generate_ed25519().public_key


def a_wider_delegation(change: Publication) -> None:
    member_role(change).paths.append("keys/at.json")


def a_delegation_that_goes_on(change: Publication) -> None:
    member_role(change).terminating = False


def another_threshold_for_a_member(change: Publication) -> None:
    key = another_key()
    signed_part(change, "targets").delegations.keys[key.keyid] = key
    member_role(change).keyids.append(key.keyid)


def a_member_without_a_contact_point(change: Publication) -> None:
    delegations = signed_part(change, "targets").delegations
    role = deepcopy(delegations.roles["member-rs"])
    role.name, role.paths = "member-fr", ["keys/fr.json"]
    delegations.roles["member-fr"] = role


def a_role_without_its_key(change: Publication) -> None:
    signed_part(change, "targets").delegations.keys.clear()


def another_file(change: Publication) -> None:
    data = b"{}"
    signed_part(change, "targets").targets["keys/at.json"] = TargetFile.from_data("keys/at.json", data, ["sha256"])


def a_document_that_is_not_named(change: Publication) -> None:
    document = read_document(ContactPointDocument, change.documents[AT_FILE])
    change.documents[AT_FILE] = write_document(document.model_copy(update={"name": "Graz"}))  # type: ignore[index] - a dict


def a_document_written_in_another_way(change: Publication) -> None:
    change.documents[AT_FILE] = change.documents[AT_FILE] + b" "  # type: ignore[index] - a dict


def a_document_of_somebody_else(change: Publication) -> None:
    document = read_document(ContactPointDocument, change.documents[AT_FILE])
    stranger = document.model_copy(update={"id": "at.other"})
    change.documents[AT_FILE] = write_document(stranger)  # type: ignore[index] - a dict


def an_unknown_field(change: Publication) -> None:
    signed_part(change, "targets").unrecognized_fields["more"] = "x"


def an_unknown_field_beside_a_key(change: Publication) -> None:
    next(iter(signed_part(change, "root").keys.values())).unrecognized_fields["more"] = "x"


def one_key_under_two_ids(change: Publication) -> None:
    root = signed_part(change, "root")
    twin = deepcopy(root.keys[root.roles["root"].keyids[0]])
    twin.keyid = "ab" * 32
    root.add_key(twin, "root")
    root.add_key(twin, "targets")


def one_key_written_in_two_ways(change: Publication) -> None:
    root = signed_part(change, "root")
    twin = deepcopy(root.keys[root.roles["root"].keyids[0]])
    twin.keyid, twin.keyval["public"] = "cd" * 32, twin.keyval["public"].upper()
    root.add_key(twin, "root")
    root.add_key(twin, "targets")


def other_signers_for_targets_than_for_root(change: Publication) -> None:
    root = signed_part(change, "root")
    root.roles["targets"] = Role(list(root.roles["targets"].keyids), 1)


def a_longer_life(change: Publication) -> None:
    signed_part(change, "targets").expires += timedelta(days=400)


def no_consistent_snapshot(change: Publication) -> None:
    signed_part(change, "root").consistent_snapshot = False


@pytest.mark.parametrize(
    "forgery",
    [
        a_wider_delegation,
        a_delegation_that_goes_on,
        another_threshold_for_a_member,
        a_member_without_a_contact_point,
        a_role_without_its_key,
        another_file,
        a_document_that_is_not_named,
        a_document_written_in_another_way,
        a_document_of_somebody_else,
        an_unknown_field,
        an_unknown_field_beside_a_key,
        one_key_under_two_ids,
        one_key_written_in_two_ways,
        other_signers_for_targets_than_for_root,
        a_longer_life,
        no_consistent_snapshot,
    ],
)
def test_what_cannot_be_shown_in_words_is_refused(
    present: VerifiedList, change: Publication, forgery: Callable[[Publication], None]
) -> None:
    forgery(change)

    with pytest.raises(RefusedError) as caught:
        review(change, present, at=FOUNDED)
    assert caught.value.code == "E_PUBLICATION"


def test_an_honest_change_is_shown(present: VerifiedList, change: Publication) -> None:
    shown = review(change, present, at=FOUNDED)

    assert shown.before is not None
    assert (shown.before.contact_points["at.ncp"].name, shown.after.contact_points["at.ncp"].name) == (
        "Desk at.ncp",
        "Vienna",
    )
    assert [(tally.role, tally.present, tally.missing) for tally in shown.tallies] == [
        ("root", True, 2),
        ("root", False, 2),
        ("targets", False, 2),
    ]


def test_looking_at_a_change_leaves_the_list_as_it_is(present: VerifiedList, change: Publication) -> None:
    before = (present.root.to_dict(), present.targets.to_dict())
    kept = deepcopy(before)

    review(change, present, at=FOUNDED)

    assert (present.root.to_dict(), present.targets.to_dict()) == kept


def test_a_members_own_document_may_be_written_in_its_own_way(present: VerifiedList) -> None:
    change = keys_change(present, keys_document("rs", [signing_key("rs.ncp#sig-2027a")]), at=FOUNDED)
    data = change.documents["keys/rs.json"].replace(b'"v":2', b'"v" : 2')
    info = TargetFile.from_data("keys/rs.json", data, ["sha256"])
    signed = change.metadata["member-rs"].signed
    signed.targets = {"keys/rs.json": info}
    theirs = Publication(change.network, {"member-rs": Metadata(signed)}, {"keys/rs.json": data})

    shown = review(theirs, present, at=FOUNDED)

    assert set(shown.after.keys) == {"rs.ncp#sig-2027a"}


def test_a_members_document_in_anothers_name_is_refused(present: VerifiedList) -> None:
    change = keys_change(present, keys_document("rs", [signing_key("rs.ncp#sig-2027a")]), at=FOUNDED)
    change.documents["keys/rs.json"] = write_document(keys_document("at", []))  # type: ignore[index] - a dict

    with pytest.raises(RefusedError):
        review(change, present, at=FOUNDED)


def test_a_suspension_of_a_day_to_come_is_refused(present: VerifiedList) -> None:
    for_ever = Suspension(who="rs", at=FOUNDED + timedelta(days=40), reason="for ever")
    document = present.revocations.model_copy(update={"suspensions": (for_ever,)})

    with pytest.raises(RefusedError, match="expected no later than now"):
        review(revocation_change(present, document, at=FOUNDED), present, at=FOUNDED)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(place=st.integers(min_value=0), byte=st.integers(0, 255))
def test_any_changed_byte_is_refused_or_changes_nothing_that_is_said(
    present: VerifiedList, change: Publication, place: int, byte: int
) -> None:
    travelling = bytearray(change.to_bytes())
    travelling[place % len(travelling)] = byte

    try:
        shown = review(read_publication(bytes(travelling)), present, at=FOUNDED)
    except BridgeError as error:
        assert error.exit_status in {2, 3}  # noqa: PT017 - most bytes are refused, some are white space
    else:
        assert shown.after == review(change, present, at=FOUNDED).after
