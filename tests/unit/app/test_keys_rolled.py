"""What a member's keys are after a roll or a revocation, and when a private key is destroyed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from string import ascii_lowercase
from types import MappingProxyType

import pytest
from bridge_node import Node
from bridge_world import directory

from bridge.adapters.jose.desk import KeyDesk
from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.app.keys.choosing import signer_of
from bridge.app.keys.destroy_spent import DestroySpent, spent_keys
from bridge.app.keys.key_states import key_ends, key_states
from bridge.app.keys.rolling import FORGOTTEN_AFTER, OVERLAP, has_another, revoked, rolled, successor_order
from bridge.core.directory import Directory, PublicKey
from bridge.core.errors import RefusedError, UnavailableError

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
OWN = "rs.ncp"
ALL_LETTERS = [f"sig-2026{first}{second}" for first in ("", *ascii_lowercase) for second in ascii_lowercase]


def public(name: str, *, until: datetime = NOW + 300 * DAY, **changes: object) -> PublicKey:
    alg = "ES256" if name.startswith("sig-") else "ECDH-ES+A256KW"
    key = PublicKey(f"{OWN}#{name}", alg, bytes(65), until, until + 31 * DAY)
    return replace(key, **changes)  # type: ignore[arg-type] - by name


def listed(*keys: PublicKey, signed_at: datetime = NOW) -> Directory:
    signing = {key.kid: key for key in keys if key.alg == "ES256"}
    opening = {key.kid: key for key in keys if key.alg != "ES256"}
    return replace(
        directory(),
        signed_at=signed_at,
        signing_keys=MappingProxyType(signing),
        encryption_keys=MappingProxyType(opening),
    )


def kids(*names: str) -> list[str]:
    return [f"{OWN}#{name}" for name in names]


@pytest.mark.parametrize(
    ("taken", "here", "expected"),
    [
        (kids(), kids(), "sig-2026a"),
        (kids("sig-2026a", "sig-2026b"), kids("sig-2026a", "sig-2026b"), "sig-2026c"),
        (kids("sig-2026a"), kids("sig-2026a", "sig-2026b", "enc-2026z"), "sig-2026b"),
        (kids(*(f"sig-2026{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")), kids(), "sig-2026aa"),
        (kids("sig-2026a"), kids("sig-2026z", "sig-2026aa"), "sig-2026aa"),
        (kids(*ALL_LETTERS), kids(), "sig-2026-1"),
        (kids(*ALL_LETTERS, *(f"sig-2026-{number}" for number in range(1, 10))), kids(), "sig-2026-10"),
        (kids("sig-2026a"), kids("sig-2026zz", "sig-2026-9", "sig-2026-10"), "sig-2026-10"),
    ],
    ids=[
        "first",
        "next",
        "interrupted",
        "twenty-seventh",
        "interrupted twice",
        "every letter is taken",
        "and numbers",
        "interrupted among numbers",
    ],
)
def test_a_key_id_is_never_used_twice_and_an_interrupted_roll_goes_on_with_its_key(
    taken: Collection[str], here: Collection[str], expected: str
) -> None:
    order = successor_order(OWN, "signing", taken=taken, here=here, at=NOW)

    assert (order.kid, order.use_until) == (f"{OWN}#{expected}", NOW + 365 * DAY)


def test_the_old_key_signs_for_an_hour_and_is_verified_for_31_days_more() -> None:
    old, other, new = public("sig-a"), public("enc-a"), public("sig-b")

    after = rolled([old, other], [new], at=NOW, overlap=OVERLAP)

    ends = NOW + OVERLAP
    assert after == [replace(old, use_until=ends, verify_until=ends + 31 * DAY), other, new]


def test_a_key_that_ends_sooner_or_is_revoked_stays_as_it_is() -> None:
    soon, lost = public("sig-a", until=NOW + timedelta(minutes=5)), public("sig-b", revoked_at=NOW)

    assert rolled([soon, lost], [public("sig-c")], at=NOW, overlap=OVERLAP)[:2] == [soon, lost]


def test_what_ended_a_year_ago_no_longer_stands_in_the_list_unless_it_was_revoked() -> None:
    long_ago = NOW - FORGOTTEN_AFTER - 32 * DAY
    old, lost = public("sig-a", until=long_ago), public("sig-b", until=long_ago, revoked_at=long_ago)

    assert rolled([old, lost], [public("sig-c")], at=NOW, overlap=OVERLAP) == [lost, public("sig-c")]


def test_a_key_is_revoked_once_and_only_one_of_ours() -> None:
    key = public("sig-a")
    once = revoked([key], key.kid, at=NOW)

    assert once == [replace(key, revoked_at=NOW)]
    assert revoked(once, key.kid, at=NOW + DAY) == once
    with pytest.raises(RefusedError, match=r"those are .*sig-a") as refused:
        revoked([key], f"{OWN}#sig-b", at=NOW)
    assert refused.value.code == "E_KEY_UNKNOWN"


def test_a_successor_is_another_key_of_the_same_use_that_is_here() -> None:
    lost, other, sealing = public("sig-a", revoked_at=NOW), public("sig-b"), public("enc-a")

    assert has_another([lost, other, sealing], lost, here=kids("sig-b"), at=NOW)
    assert not has_another([lost, other, sealing], lost, here=kids("sig-a", "enc-a"), at=NOW)


@pytest.mark.parametrize("use", ["sig", "enc"])
def test_a_key_that_ends_sooner_than_the_revoked_one_is_no_successor(use: str) -> None:
    # given a roll of which the new key is lost while the old one still signs, for half an hour more
    old, lost = public(f"{use}-a", until=NOW + OVERLAP / 2), public(f"{use}-b", revoked_at=NOW)
    here = kids(f"{use}-a", f"{use}-b", f"{use}-c")

    assert not has_another([old, lost], lost, here=here, at=NOW)
    assert has_another([old, lost, public(f"{use}-c")], lost, here=here, at=NOW)


def test_the_key_that_ends_first_signs_until_then() -> None:
    keys = PrivateKeys({})
    for kid in kids("sig-a", "sig-b", "sig-c"):
        keys.make(kid)
    desk, ends = KeyDesk(OWN, keys), NOW + OVERLAP
    known = listed(public("sig-a", until=ends), public("sig-b", until=ends + DAY), public("sig-c"))

    for at, kid in ((NOW, "sig-a"), (ends, "sig-b"), (ends + DAY, "sig-c")):
        assert signer_of(desk, known, at=at).kid == f"{OWN}#{kid}"
    keys.destroy(f"{OWN}#sig-a")
    assert signer_of(desk, known, at=NOW).kid == f"{OWN}#sig-b"


def test_each_key_is_shown_with_what_it_is_good_for_and_only_the_last_of_a_use_ends() -> None:
    soon = NOW + OVERLAP
    known = listed(
        public("sig-a", until=NOW - 40 * DAY), public("sig-b", until=NOW - DAY), public("sig-c", until=soon),
        public("sig-d"), public("sig-e", revoked_at=NOW), public("sig-f"),
        public("enc-a", until=soon), public("enc-b"),
    )  # fmt: skip
    here = kids("sig-c", "sig-d", "sig-g", "enc-a", "enc-b")

    states = {one.kid.partition("#")[2]: one.state for one in key_states(known, OWN, here=here, at=NOW)}

    assert states == {
        "sig-a": "spent", "sig-b": "kept", "sig-c": "in_use", "sig-d": "next", "sig-e": "revoked", "sig-f": "missing",
        "sig-g": "unlisted", "enc-a": "kept", "enc-b": "in_use",
    }  # fmt: skip
    ends = list(key_ends(known, OWN, here=here, at=NOW))
    assert [(end.name, end.ends) for end in ends] == [(kid, NOW + 300 * DAY) for kid in kids("sig-d", "enc-b")]
    assert [end.ends for end in key_ends(known, OWN, here=[], at=NOW)] == [None, None]


@pytest.mark.parametrize(
    ("days", "spent"),
    [(0, []), (1, ["sig-a"]), (31, ["sig-a"]), (32, ["sig-a", "enc-a"])],
)
def test_a_private_key_is_destroyed_when_it_has_no_use_any_more(days: int, spent: list[str]) -> None:
    # given keys that were followed on today
    keys = [public("sig-a", until=NOW), public("enc-a", until=NOW), public("sig-b"), public("enc-b")]
    known = listed(*(replace(key, use_until=key.use_until + DAY, verify_until=key.verify_until + DAY) for key in keys))

    found = spent_keys(known, OWN, kids("sig-a", "sig-b", "enc-a", "enc-b"), at=NOW + days * DAY)

    assert [key.kid for key in found] == kids(*spent)


def test_nothing_is_destroyed_without_a_successor_here_and_nothing_that_the_list_does_not_have() -> None:
    lost, later = public("sig-a", revoked_at=NOW), NOW + 400 * DAY
    known = listed(lost, public("sig-b"), public("enc-a", until=NOW))

    assert spent_keys(known, OWN, kids("sig-a", "enc-a", "enc-new", "sig-new"), at=later) == []
    assert spent_keys(known, OWN, kids("sig-a", "sig-b"), at=NOW) == [lost]


async def test_a_clock_that_runs_ahead_destroys_nothing_and_what_is_destroyed_is_in_the_audit_log(node: Node) -> None:
    # given a key that is spent in a month
    keys = PrivateKeys({})
    for kid in kids("sig-a", "enc-a", "enc-b"):
        keys.make(kid)
    known = listed(public("sig-a"), public("enc-a", until=NOW), public("enc-b"), signed_at=NOW)
    chore = DestroySpent({OWN: KeyDesk(OWN, keys)}, node.store, node.trust, node.clock)

    # when only the clock says so
    node.trust.directory, node.clock.time = known, NOW + 100 * DAY
    assert await chore.look() == 0

    # when the list was confirmed then
    node.trust.directory = replace(known, signed_at=NOW + 31 * DAY)
    assert await chore.look() == 1

    # then
    assert keys.kids() == {*kids("sig-a", "enc-b")}
    (entry,) = await node.audit("key.destroyed")
    assert (entry.subject, entry.contact_point) == (f"{OWN}#enc-a", OWN)


class LostToken(PrivateKeys):
    """Tells of its keys and destroys none, for as long as it is lost."""

    is_lost = True

    def destroy(self, kid: str) -> None:
        if self.is_lost:
            raise UnavailableError("E_TOKEN", "the token is not there")
        super().destroy(kid)


async def test_a_key_that_cannot_be_destroyed_now_is_noted_once_until_it_is(node: Node) -> None:
    # given a spent key on a token that is lost
    keys = LostToken({})
    for kid in kids("sig-a", "sig-b"):
        keys.make(kid)
    node.trust.directory = listed(public("sig-a", revoked_at=NOW), public("sig-b"))

    # when it is tried again and again, also after a start of the process
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await DestroySpent({OWN: KeyDesk(OWN, keys)}, node.store, node.trust, node.clock).look()
    keys.is_lost = False
    assert await DestroySpent({OWN: KeyDesk(OWN, keys)}, node.store, node.trust, node.clock).look() == 1

    # then
    assert keys.kids() == {*kids("sig-b")}
    assert [entry.subject for entry in await node.audit("key.destroyed")] == kids("sig-a")
