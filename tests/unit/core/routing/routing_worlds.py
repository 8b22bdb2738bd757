"""Short ways to write a membership list and an alert down, so that a test shows only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bridge.core.directory import ContactPoint, Directory, PublicKey, Remit
from bridge.core.messages import RouteAlertBody

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KINDS = frozenset({"route_alert", "alert_update", "alert_cancel", "acknowledgement"})
ORGANISATIONS = ("eu", "un", "xo")


def point(  # noqa: PLR0913 - all named, each a fact that some case is about
    identifier: str,
    *,
    national: bool | None = None,
    kinds: set[str] | None = None,
    exploitation: set[str] | None = None,
    children_only: bool = False,
    crossings: set[str] | None = None,
    receives: frozenset[str] = KINDS,
    mode: str = "live",
    suspended: str | None = None,
) -> ContactPoint:
    """A contact point; `<cc>.ncp` is a national desk unless told otherwise."""
    prefix, _, name = identifier.partition(".")
    return ContactPoint(
        id=identifier,
        name=f"Desk {identifier}",
        country=None if prefix in ORGANISATIONS else prefix.upper(),
        mode=mode,
        remit=Remit(
            national_desk=name == "ncp" if national is None else national,
            kinds=None if kinds is None else frozenset(kinds),
            exploitation=None if exploitation is None else frozenset(exploitation),
            children_only=children_only,
            crossings=None if crossings is None else frozenset(crossings),
        ),
        sends=KINDS,
        receives=receives,
        statuses=frozenset({"actual", "exercise", "test"}),
        signature_policy=("ES256",),
        suspended=suspended,
    )


def seal_key(
    owner: str, *, use_until: datetime = NOW + timedelta(days=30), revoked_at: datetime | None = None
) -> PublicKey:
    """An encryption key, by default good for a month."""
    return PublicKey(f"{owner}#seal", "ECDH-ES+A256KW", b"\x04" + bytes(64), use_until, NOW, revoked_at)


def membership(
    *members: str | ContactPoint, without_key: tuple[str, ...] = (), keys: tuple[PublicKey, ...] = ()
) -> Directory:
    """A membership list of these contact points; `keys` take the place of the usual one of their owner."""
    points = [point(member) if isinstance(member, str) else member for member in members]
    by_kid = {key.kid: key for member in points if member.id not in without_key for key in [seal_key(member.id)]}
    by_kid |= {key.kid: key for key in keys}
    return Directory(
        network="test-network",
        version=1,
        signed_at=NOW,
        contact_points={member.id: member for member in points},
        signing_keys={},
        encryption_keys=by_kid,
    )


def leg(
    corridor: str, *, crossing: str | None = None, start: tuple[str, ...] = (), end: tuple[str, ...] = ()
) -> dict[str, object]:
    """One leg, `RS>HU`, with its border crossing and the roles that the author gives to its two ends."""
    origin, _, destination = corridor.partition(">")
    members: dict[str, object] = {"from": {"country": origin}, "to": {"country": destination}, "confirmed": True}
    if crossing is not None:
        members["crossing_point"] = crossing
    if start or end:
        members["roles"] = {"from": list(start), "to": list(end)}
    return members


def alert(
    *legs: str | dict[str, object], exploitation: tuple[str, ...] = ("sexual",), child: bool = False
) -> RouteAlertBody:
    """The body of an alert: legs as `leg` has them, or a whole journey `RS>HU>AT`."""
    stretches: list[dict[str, object]] = []
    for item in legs:
        if isinstance(item, str):
            countries = item.split(">")
            stretches += [leg(f"{one}>{two}") for one, two in pairwise(countries)]
        else:
            stretches.append(item)
    return RouteAlertBody.model_validate(
        {
            "title": "A route",
            "language": "en",
            "tlp": "AMBER",
            "purpose": "victim_protection",
            "legal_basis": "CETS 197, Art. 34",
            "legs": stretches,
            "means": ["unknown"],
            "exploitation": list(exploitation),
            "labour_sector": ["unknown"],
            "victims": [{"age_band": "9-17" if child else "21-29"}],
        }
    )
