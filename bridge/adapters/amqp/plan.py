"""What has to change on a broker so that it is as a topology says: worked out from the broker's own definitions.

Pure, so that a dry run says what a run does. Rules:
1. What is there in another form, an exchange or a queue, is a conflict: it is named, and nothing is changed.
2. Only what carries a name of ours is touched. What somebody else bound to ours is named, not removed.
3. Whoever is not in the topology any more is sealed off: its accounts go, its exchanges and queues are unbound. What
   is in its queues stays, until somebody says that they are to be dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from bridge.adapters.amqp.definitions import Entry, definitions, is_password
from bridge.adapters.amqp.topology import Account, Topology
from bridge.core import broker_names as names
from bridge.core.errors import RefusedError

Exported = Mapping[str, Any]

_NAMED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "vhosts": ("name",),
    "users": ("name",),
    "exchanges": ("name",),
    "queues": ("name",),
    "policies": ("name",),
    "bindings": ("source", "destination", "destination_type", "routing_key"),
    "permissions": ("user",),
    "topic_permissions": ("user", "exchange"),
    "parameters": ("component", "name"),
}
_OF_THE_BROKER: Final = frozenset({"vhosts", "users"})  # everything else belongs to a virtual host
_FIXED: Final = {"exchanges": ("type", "durable"), "queues": ("durable", "arguments")}  # cannot be changed in place
_WORDS: Final = {
    "vhosts": "virtual host",
    "users": "account",
    "exchanges": "exchange",
    "queues": "queue",
    "policies": "policy",
    "bindings": "binding",
    "permissions": "permissions of",
    "topic_permissions": "topic permissions of",
    "parameters": "limits of the virtual host",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as the topology says."""

    action: Literal["add", "change", "remove"]
    kind: str
    name: str
    detail: str = ""

    def sentence(self) -> str:
        """For people."""
        return " ".join(filter(None, (self.action, self.kind, self.name))) + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is on the broker of a member that is sealed off, as a whole or one contact point of it.

    It has bindings alone where somebody bound what nobody wants; the member itself is as it should be then.

    Attributes:
        accounts: that are deleted, or lose their permissions here where another virtual host knows them, too.
        known_elsewhere: those of them.
        bindings: that are removed.
        queues, exchanges, policies: that stay until they are dropped.
    """

    member: str
    accounts: tuple[str, ...] = ()
    known_elsewhere: frozenset[str] = frozenset()
    bindings: tuple[Entry, ...] = ()
    queues: tuple[str, ...] = ()
    exchanges: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes:
        document: definitions to be imported; lists may be empty.
        changes: what that adds and changes.
        leaving: who is sealed off, sorted.
        left_alone: bindings between our names and others': `alerts -> audit (#)`.
    """

    document: Mapping[str, list[Entry]]
    changes: tuple[Change, ...]
    leaving: tuple[Leaving, ...] = ()
    left_alone: tuple[str, ...] = ()


def plan(exported: Exported, topology: Topology, *, vhost: str, keep_passwords: bool, seal: bool) -> Plan:
    """What makes the broker be as the topology says.

    Args:
        exported: the broker's definitions, all of them.
        topology: of one country, or of all that share the virtual host.
        vhost: the virtual host.
        keep_passwords: an account without a password in the topology keeps the one that it has; otherwise it has none.
        seal: whoever is not in the topology is sealed off.

    Raises:
        RefusedError: something is there in another form (`E_TOPOLOGY_CONFLICT`).
    """
    wanted = definitions(topology, vhost=vhost)
    accounts = {account.name: account for account in topology.accounts}
    document: dict[str, list[Entry]] = {kind: [] for kind in wanted}
    changes: list[Change] = []
    for kind, entries in wanted.items():
        there = _there(exported, kind, vhost)
        for entry in entries:
            found = there.get(_name(kind, entry))
            if found is None:
                document[kind].append(entry)
                changes.append(Change("add", _WORDS[kind], _shown(kind, entry)))
                continue
            _refuse_other_form(kind, entry, found)
            imported, difference = entry, _difference(entry, found)
            if kind == "users":
                account = accounts[str(entry["name"])]
                imported, difference = _user(account, entry, found, keep_passwords=keep_passwords)
            if difference:
                document[kind].append(imported)
                changes.append(Change("change", _WORDS[kind], _shown(kind, entry), difference))
    if not seal:
        return Plan(document, tuple(changes))
    leaving = tuple(_leaving(exported, topology, wanted, vhost))
    return Plan(document, tuple(changes), leaving, tuple(_left_alone(exported, vhost)))


def removals(leaving: Leaving) -> Iterable[Change]:
    """What sealing a member off removes."""
    for account in leaving.accounts:
        kind = "permissions of" if account in leaving.known_elsewhere else "account"
        yield Change("remove", kind, account)
    for binding in leaving.bindings:
        yield Change("remove", "binding", _shown("bindings", binding))


def _there(exported: Exported, kind: str, vhost: str) -> Mapping[tuple[str, ...], Entry]:
    entries = exported.get(kind, ())
    mine = (entry for entry in entries if kind in _OF_THE_BROKER or entry["vhost"] == vhost)
    return {_name(kind, entry): entry for entry in mine}


def _name(kind: str, entry: Entry) -> tuple[str, ...]:
    return tuple(str(entry[member]) for member in _NAMED_BY[kind])


def _shown(kind: str, entry: Entry) -> str:
    if kind == "bindings":
        return f"{entry['source']} -> {entry['destination']} ({entry['routing_key']})"
    if kind == "topic_permissions":
        return f"{entry['user']} on {entry['exchange']}"
    return "" if kind == "parameters" else _name(kind, entry)[0]


def _refuse_other_form(kind: str, wanted: Entry, found: Entry) -> None:
    for member in _FIXED.get(kind, ()):
        if found[member] != wanted[member]:
            detail = f"{wanted['name']} has {member} {found[member]!r}, wanted {wanted[member]!r}"
            raise conflict(detail)


def conflict(detail: str) -> RefusedError:
    """The error for what stands in the way."""
    return RefusedError("E_TOPOLOGY_CONFLICT", f"the broker already has this in another form: {detail}")


def _difference(wanted: Entry, found: Entry) -> str:
    """What differs, in words; empty where nothing does."""
    differing = [member for member, value in wanted.items() if found.get(member) != value]
    return ", ".join(f"{member} {wanted[member]} instead of {found.get(member)}" for member in differing)


def _user(account: Account, wanted: Entry, found: Entry, *, keep_passwords: bool) -> tuple[Entry, str]:
    """The account as it is to be imported, and what differs."""
    hashed = str(found.get("password_hash") or "")
    details = [
        f"{member} {wanted[member]} instead of {found.get(member)}"
        for member in ("tags", "limits")
        if found.get(member, wanted[member]) != wanted[member]
    ]
    if account.password is None and hashed and not keep_passwords:
        details.append("no password, it signs in with its certificate")
    elif account.password is not None and not is_password(account.password, hashed):
        details.append("another password")
    else:
        wanted = {**wanted, "password_hash": hashed}
    return wanted, ", ".join(details)


def _leaving(exported: Exported, topology: Topology, wanted: Exported, vhost: str) -> Iterable[Leaving]:
    staying = {account.name for account in topology.accounts}
    permitted = [*exported["permissions"], *exported["topic_permissions"]]
    here = {entry["user"] for entry in permitted if entry["vhost"] == vhost} - staying
    elsewhere = {entry["user"] for entry in permitted if entry["vhost"] != vhost}
    bound = {_name("bindings", entry) for entry in wanted["bindings"]}
    unbound = [
        entry
        for name, entry in _there(exported, "bindings", vhost).items()
        if name not in bound and _is_ours(entry["source"]) and _is_ours(entry["destination"])
    ]
    kept = {kind: {str(entry["name"]) for entry in wanted[kind]} for kind in ("queues", "exchanges", "policies")}
    surplus = {kind: _surplus(_there(exported, kind, vhost), there) for kind, there in kept.items()}
    everything = [*here, *(name for left in surplus.values() for name in left)]
    members = {names.member_of(name) for name in everything} | {_member_of_binding(entry) for entry in unbound}
    for member in sorted(member for member in members if member is not None):
        accounts = tuple(sorted(name for name in here if names.member_of(name) == member))
        of_member = {
            kind: tuple(name for name in left if names.member_of(name) == member) for kind, left in surplus.items()
        }
        yield Leaving(
            member=member,
            accounts=accounts,
            known_elsewhere=frozenset(elsewhere.intersection(accounts)),
            bindings=tuple(entry for entry in unbound if _member_of_binding(entry) == member),
            queues=of_member["queues"],
            exchanges=of_member["exchanges"],
            policies=of_member["policies"],
        )


def _surplus(there: Iterable[tuple[str, ...]], kept: set[str]) -> Sequence[str]:
    return sorted(name for (name,) in there if name not in kept and names.member_of(name))


def _is_ours(name: object) -> bool:
    return name in {names.ALERTS, names.DEAD} or names.member_of(str(name)) is not None


def _member_of_binding(entry: Entry) -> str:
    """Empty for one between the two exchanges that all share."""
    return names.member_of(str(entry["destination"])) or names.member_of(str(entry["source"])) or ""


def _left_alone(exported: Exported, vhost: str) -> Iterable[str]:
    """Whoever listens at an exchange of ours, or puts something into one of our queues."""
    for entry in _there(exported, "bindings", vhost).values():
        if _is_ours(entry["source"]) != _is_ours(entry["destination"]):
            yield _shown("bindings", entry)
