"""Whatever is rolled and revoked, and however late lists arrive: what is signed is accepted, as far as the rules allow.

The rules allow a refusal in one case only: the receiver has got a list that the sender had not, in which that key was
revoked, or had already ended when the message was made. For the latter the sender is behind by more than the overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.adapters.jose.desk import KeyDesk
from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.app.keys.choosing import in_turn, signer_if_any
from bridge.app.keys.rolling import OVERLAP, has_another, revoked, rolled, successor_order
from bridge.core.directory import Directory, PublicKey

START = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
OWN = "rs.ncp"
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("roll"), st.just(0)),
        st.tuples(st.just("revoke"), st.integers(0, 3)),
        st.tuples(st.just("pass"), st.integers(1, 200)),  # minutes
        st.tuples(st.just("list"), st.integers(0, 3)),  # reaches the sender, so many versions late
    ),
    min_size=1,
    max_size=30,
)


@dataclass
class Member:
    """A member that publishes, and its node that learns of it later."""

    now: datetime = START
    private: PrivateKeys = field(default_factory=lambda: PrivateKeys({}))
    lists: list[Directory] = field(default_factory=list)
    known: int = 0

    def publish(self, keys: Sequence[PublicKey]) -> None:
        signing = MappingProxyType({key.kid: key for key in keys})
        self.lists.append(Directory("see", len(self.lists) + 1, self.now, {}, signing, {}))

    @property
    def keys(self) -> list[PublicKey]:
        return list(self.lists[-1].signing_keys.values()) if self.lists else []

    def roll(self) -> None:
        self.publish(rolled(self.keys, [self.successor()], at=self.now, overlap=OVERLAP))

    def successor(self) -> PublicKey:
        taken = [key.kid for key in self.keys]
        order = successor_order(OWN, "signing", taken=taken, here=self.private.kids(), at=self.now)
        return order.enrolled(self.private.make(order.kid))

    def revoke(self, which: int) -> None:
        lost = self.keys[which % len(self.keys)]
        keys = revoked(self.keys, lost.kid, at=self.now)
        if not has_another(keys, lost, here=self.private.kids(), at=self.now):
            keys.append(self.successor())
        self.publish(keys)

    def ended_by(self, key: PublicKey) -> Directory:
        """The list that gave the key the end that it has."""
        having = (one for one in self.lists if key.kid in one.signing_keys)
        return next(one for one in having if one.signing_keys[key.kid].use_until == key.use_until)

    def learn(self, late: int) -> None:
        self.known = max(self.known, len(self.lists) - 1 - late)


def refusal(directory: Directory, kid: str, *, sent: datetime, at: datetime) -> str | None:
    """Steps 6 and 12 of the verification."""
    key = directory.signing_keys.get(kid)
    if key is None:
        return "unknown"
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if at >= key.verify_until or sent >= key.use_until else None


@settings(max_examples=300, deadline=None)
@given(steps=STEPS)
def test_the_chosen_key_is_accepted_by_the_same_and_every_newer_list(steps: list[tuple[str, int]]) -> None:
    # given
    member = Member()
    member.roll()
    for what, how in steps:
        match what:
            case "roll":
                member.roll()
            case "revoke":
                member.revoke(how)
            case "pass":
                member.now += timedelta(minutes=how)
            case "list":
                member.learn(how)

        # when the member's node signs by the list that it has
        directory = member.lists[member.known]
        signer = signer_if_any(KeyDesk(OWN, member.private), directory, at=member.now)

        # then there is a key whenever its list has one, and whoever has that list accepts it
        assert (signer is None) == (not in_turn(directory, OWN, at=member.now))
        if signer is None:
            continue
        assert refusal(directory, signer.kid, sent=member.now, at=member.now) is None

        # and so does whoever has a newer one, but for what that list says of this very key
        for newer in member.lists[member.known + 1 :]:
            found = refusal(newer, signer.kid, sent=member.now, at=member.now)
            assert found != "unknown"
            if found == "expired":  # the node is further behind the list that ended the key than the overlap
                assert member.now - member.ended_by(newer.signing_keys[signer.kid]).signed_at >= OVERLAP


@given(minutes=st.integers(0, 59), delay=st.integers(0, 59))
def test_with_lists_less_than_the_overlap_late_a_roll_refuses_nothing(minutes: int, delay: int) -> None:
    # given a roll, of which the sender hears later than every receiver
    member = Member()
    member.roll()
    member.roll()
    old, new = member.lists
    at = START + timedelta(minutes=minutes)
    by = old if minutes < delay else new

    # when it signs at any moment of the overlap
    signer = signer_if_any(KeyDesk(OWN, member.private), by, at=at)

    # then everybody accepts it, for as long as a message lives
    assert signer is not None
    for receiver in (old, new):
        for judged in (at, at + timedelta(days=30)):
            assert refusal(receiver, signer.kid, sent=at, at=judged) is None
