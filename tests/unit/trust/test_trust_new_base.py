"""After a thief had the revocation role's key: governance begins a new base, and nothing but that takes a stop back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ceremony_people import Secretariat, words
from trust_network import FOUNDED, Run, World, contact_point, signing_key

from bridge.adapters.trust.governance.ceremony_keys import ONLINE, REVOCATIONS, make_keys
from bridge.adapters.trust.governance.changes import (
    Holders,
    governance_change,
    new_base,
    revocation_change,
    root_change,
)
from bridge.adapters.trust.governance.publication import Publication, joined
from bridge.adapters.trust.governance.review import review
from bridge.adapters.trust.membership.forms import RevocationsDocument, RevokedKey, Suspension
from bridge.adapters.trust.membership.mirror import MirrorFetcher
from bridge.adapters.trust.membership.verified_list import UntrustedError, VerifiedList, verify_list
from bridge.app.network_words import changes
from bridge.core.errors import RefusedError
from bridge.founding.ceremony import present_list

RS, AT = "rs.ncp#sig-2026a", "at.ncp#sig-2026a"
Keep = Callable[[RevocationsDocument], RevocationsDocument]


@pytest.fixture
def enrolled(world: World) -> World:
    """Both members have keys."""
    world.enrol(signing_key(RS), signing_key(AT))
    return world


def everything(document: RevocationsDocument) -> RevocationsDocument:
    return document


def nothing(document: RevocationsDocument) -> RevocationsDocument:
    return document.model_copy(update={"keys": (), "suspensions": ()})


def new_keys(world: World, keep: Keep, *, base: bool = True) -> Callable[[VerifiedList], Publication]:
    """Governance replaces the revocation role's keys and the online keys, with a new base or without."""
    made = make_keys(world.repository.keys, dict.fromkeys((*ONLINE, REVOCATIONS), 1))
    public = {group: signers[0].public_key for group, signers in made.items()}

    def make(present: VerifiedList) -> Publication:
        root, kept = present.root, keep(present.revocations)
        network = new_base(present.network, kept) if base else present.network
        governance = Holders([root.keys[keyid] for keyid in root.roles["root"].keyids], 2)
        return joined(
            [
                governance_change(
                    present,
                    network=network,
                    contact_points=present.contact_points,
                    admitted={},
                    revocation=Holders([public[REVOCATIONS]], 1),
                    at=world.clock(),
                ),
                root_change(
                    present, governance=governance, online={role: public[role] for role in ONLINE}, at=world.clock()
                ),
                revocation_change(present, kept, at=world.clock()),
            ]
        )

    return make


def shown_to_one_node_only(world: World, stop: Callable[[], object]) -> None:
    """The thief of revocation and online keys shows a node what was never published; afterwards all is as before."""
    honest = world.keep_mirror("honest")
    stop()
    assert world.node().current().version > 2
    world.put_mirror(honest)


def goes_on(world: World, versions: int = 2) -> None:
    for number in range(versions):
        world.clock.moment += timedelta(hours=1)
        world.revise(contact_point("rs.ncp", name=f"Serbia {number}"))


@pytest.mark.parametrize("base", [True, False], ids=["a new base", "only new keys"])
def test_a_node_that_was_shown_a_suspension_comes_back_by_a_new_base_alone(enrolled: World, *, base: bool) -> None:
    enrolled.clock.moment += timedelta(minutes=1)
    shown_to_one_node_only(enrolled, lambda: enrolled.revoke(suspend="at"))

    enrolled.clock.moment += timedelta(hours=1)
    enrolled.repository.change(new_keys(enrolled, everything, base=base), at=enrolled.clock())
    goes_on(enrolled)
    node = enrolled.node()
    directory = asyncio.run(node.refresh())

    assert (directory.contact_points["at.ncp"].suspended is None) is base
    assert (node.failure is None) is base


def test_a_node_takes_back_what_governance_took_back(enrolled: World) -> None:
    enrolled.revoke(RS, AT)
    node = enrolled.node()
    assert node.current().signing_keys[AT].revoked_at is not None

    enrolled.repository.change(
        new_keys(enrolled, lambda said: said.model_copy(update={"keys": said.keys[:1]})), at=enrolled.clock()
    )
    directory = asyncio.run(node.refresh())

    assert directory.signing_keys[RS].revoked_at is not None
    assert directory.signing_keys[AT].revoked_at is None


def test_in_the_new_base_nothing_is_taken_back_either(enrolled: World) -> None:
    enrolled.repository.change(new_keys(enrolled, nothing), at=enrolled.clock())
    enrolled.revoke(RS)

    with pytest.raises(RefusedError, match=r"no longer says that rs\.ncp#sig-2026a was revoked"):
        enrolled.repository.change(
            lambda present: revocation_change(present, nothing(present.revocations), at=FOUNDED), at=FOUNDED
        )


def test_a_list_of_the_base_before_is_held_to_what_was_said_since(enrolled: World, tmp_path: Path) -> None:
    stops = frozenset({f"1.{RS}"})

    with pytest.raises(UntrustedError, match=r"no longer says that rs\.ncp#sig-2026a was revoked"):
        verify_list(
            MirrorFetcher(enrolled.mirror),
            tmp_path / "scratch",
            root_bytes=enrolled.pinned_root().read_bytes(),
            at=enrolled.clock(),
            stops=stops,
        )


def test_who_signs_a_new_base_is_shown_what_it_takes_back(enrolled: World) -> None:
    enrolled.revoke(RS, AT)
    present = enrolled.repository.verified(at=FOUNDED)
    change = new_keys(enrolled, lambda said: said.model_copy(update={"keys": said.keys[:1]}))(present)

    shown = review(change, present, at=FOUNDED)

    lines = [f"{', '.join(one.who)}: {one.what}" for one in changes(shown.before, shown.after)]
    assert (
        "revocations: begin ANEW (base 1): every node forgets what it was shown before, and takes what stands here"
        in lines
    )
    assert f"{AT}: TAKEN BACK: revoked on 2026-11-01T12:00:00.000Z no more, the key counts again" in lines
    assert not any(line.startswith(RS) for line in lines)


def another_document(change: Publication, present: VerifiedList) -> Publication:
    """The revocation role swaps its document after governance has signed."""
    swapped = revocation_change(present, present.revocations, at=FOUNDED)
    rest = {role: one for role, one in change.metadata.items() if role != REVOCATIONS}
    governance = {target: data for target, data in change.documents.items() if target != "revocations.json"}
    return joined([Publication(change.network, rest, governance), swapped])


def without_revocations(change: Publication, _present: VerifiedList) -> Publication:
    rest = {role: one for role, one in change.metadata.items() if role != REVOCATIONS}
    documents = {target: data for target, data in change.documents.items() if target != "revocations.json"}
    return Publication(change.network, rest, documents)


@pytest.mark.parametrize("spoil", [another_document, without_revocations])
def test_a_new_base_is_what_governance_signed(
    enrolled: World, spoil: Callable[[Publication, VerifiedList], Publication]
) -> None:
    enrolled.revoke(AT)
    present = enrolled.repository.verified(at=FOUNDED)
    change = spoil(new_keys(enrolled, nothing)(present), present)

    for refused in (
        lambda: review(change, present, at=FOUNDED),
        lambda: enrolled.repository.change(lambda _: change, at=FOUNDED),
    ):
        with pytest.raises(RefusedError, match=r"base|signed by 0/1 keys"):
            refused()


def revoked(*kids: str) -> Keep:
    return lambda said: said.model_copy(
        update={"keys": (*said.keys, *(RevokedKey(kid=kid, at=FOUNDED, reason="x") for kid in kids))}
    )


def suspended(*whom: str) -> Keep:
    entries = [
        Suspension(who=who, at=FOUNDED + timedelta(seconds=number), reason="x") for number, who in enumerate(whom)
    ]
    return lambda said: said.model_copy(update={"suspensions": (*said.suspensions, *entries)})


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        (revoked("zz.x#sig-1"), "zz.x#sig-1: no key of the list"),
        (revoked("rs.ncp#sig-9999"), "rs.ncp#sig-9999: no key of the list"),
        (suspended("zz"), "zz: no member or contact point of the list"),
        (suspended("at", "at"), "at: suspended already"),
        (suspended("at", "at.ncp"), "at.ncp: suspended already"),
    ],
)
def test_what_nobody_has_is_neither_revoked_nor_suspended(enrolled: World, says: Keep, sentence: str) -> None:
    """A stolen revocation key must not fill the document that only grows."""
    present = enrolled.repository.verified(at=FOUNDED)
    change = revocation_change(present, says(present.revocations), at=FOUNDED)

    for refused in (
        lambda: review(change, present, at=FOUNDED),
        lambda: enrolled.repository.change(lambda _: change, at=FOUNDED),
    ):
        with pytest.raises(RefusedError, match=sentence) as caught:
            refused()
        assert caught.value.code == "E_PUBLICATION"


@pytest.fixture
def governed(tmp_path: Path, run: Run) -> Secretariat:
    """A network of five governors and Rita, who revokes; Ruth has a key, too."""
    secretariat = Secretariat(tmp_path, run)
    secretariat.founds()
    secretariat.has_keys_of("ruth")
    return secretariat


def ruth_in_ritas_place(governed: Secretariat, *wishes: object) -> Sequence[str]:
    governed.file.write_text(governed.file.read_text("utf-8").replace("rita.pub", "ruth.pub"), "utf-8")
    change = governed.proposes("change.json", *wishes)
    status, answer = governed.publish(governed.signed_by(change, "alice", "bob", "carol", "ruth"))
    assert status == 0, answer
    return words(answer)


def test_other_holders_of_the_revocation_role_begin_a_new_base(governed: Secretariat) -> None:
    rita = governed.folder / "rita/my.key"
    stop = ("network", "suspend", governed.network, "AT", "--reason", "x", "--key", rita, "--yes")
    assert governed.run(*stop)[0] == 0

    lines = ruth_in_ritas_place(governed)

    assert any(line.startswith("revocations: begin ANEW (base 1)") for line in lines)
    assert not any("TAKEN BACK" in line for line in lines)
    found = present_list(governed.network, at=datetime.now(UTC))
    assert [entry.who for entry in found.revocations.suspensions] == ["at"]


def test_what_a_thief_said_is_taken_back_with_the_thiefs_key(governed: Secretariat) -> None:
    rita = governed.folder / "rita/my.key"
    governed.run("network", "suspend", governed.network, "AT", "--reason", "x", "--key", rita, "--yes")
    propose = ("network", "propose", governed.network, "--config", governed.file, "--out", governed.folder / "c.json")

    early = governed.run(*propose, "--take-back", "AT")
    lines = ruth_in_ritas_place(governed, "--take-back", "AT")

    assert (early[0], early[1]["error"]["code"]) == (2, "E_TAKE_BACK")
    assert any(line.startswith("at: TAKEN BACK: suspended") for line in lines)
    assert "at.ncp: is sent to and listened to again" in lines


def test_who_was_not_stopped_is_not_taken_back(governed: Secretariat) -> None:
    governed.file.write_text(governed.file.read_text("utf-8").replace("rita.pub", "ruth.pub"), "utf-8")

    status, answer = governed.run(
        *("network", "propose", governed.network, "--config", governed.file, "--out", governed.folder / "c.json"),
        *("--take-back", "rs.ncp"),
    )

    assert (status, answer["error"]["code"]) == (2, "E_TAKE_BACK")


def test_one_holder_more_begins_no_new_base(governed: Secretariat) -> None:
    text = governed.file.read_text("utf-8").replace('["rita.pub"]', '["rita.pub", "ruth.pub"]')
    governed.file.write_text(text, "utf-8")

    status, answer = governed.publish(governed.signed_by(governed.proposes(), "alice", "bob", "carol", "ruth"))

    assert status == 0, answer
    assert not any("begin ANEW" in line for line in words(answer))
