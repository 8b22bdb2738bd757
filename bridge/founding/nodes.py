"""A node's folder: keys, secrets, settings and the pinned root, made once for each country of a network.

```
node.toml                         the settings, with comments
secrets/machine.key               protects the key files
secrets/member.pem                signs which keys are this country's
secrets/<account>.password        the broker accounts
keys/<contact point>/sig-*.pem    signs      enc-*.pem opens      storage.key protects bodies at rest
trust/root.json                   where trust begins
```
Public keys of all nodes founded together are enrolled in one new version of the network. When that fails, the folders
are as they were before.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Final, Literal

from securesystemslib.signer import CryptoSigner

from bridge.adapters.jose.key_files import make_key, make_secret, read_secret
from bridge.adapters.trust import TufRepository
from bridge.adapters.trust.changes import governance_change, keys_change
from bridge.adapters.trust.documents import keys_document
from bridge.adapters.trust.member_key import make_member_key
from bridge.adapters.trust.publication import Publication, joined
from bridge.adapters.trust.roles import member_role
from bridge.adapters.trust.verified_list import VerifiedList
from bridge.app.enrol_node import KeyOrder, first_keys, members_of_country
from bridge.core import broker_names as names
from bridge.core.directory import Directory, PublicKey
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.private_files import write_private

SETTINGS: Final = "node.toml"
TEMPLATE: Final = Path(__file__).with_name("node.toml")
PASSWORD_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class BrokerPlace:
    """Where a node's broker is; the two addresses are for `topology apply` only."""

    scheme: Literal["amqp", "amqps"] = "amqp"
    host: str = "127.0.0.1"
    port: int = 5672
    vhost: str = "/"
    management_url: str | None = None
    admin_url_file: Path = Path("secrets/broker-admin.url")


@dataclass(frozen=True, slots=True)
class NodeOrder:
    """A node to be set up in `folder`."""

    folder: Path
    country: str
    broker: BrokerPlace = BrokerPlace()


@dataclass(frozen=True, slots=True)
class FoundNode:
    """A node that was set up: its settings file, and the key ids of each contact point."""

    config: Path
    kids: Mapping[str, Sequence[str]]


def found_nodes(orders: Sequence[NodeOrder], *, network: Path, at: datetime | None = None) -> list[FoundNode]:
    """Sets up nodes and enrols all their public keys in one new version of the network.

    Raises:
        BadInputError: a country is not in the network; the sentence names those that are.
        RefusedError: a folder holds a node already, a contact point has keys, or the network does not verify.
        UnavailableError: a folder cannot be written, or no network is there.
    """
    now = at or datetime.now(UTC)
    repository = TufRepository(network)
    directory = repository.state(at=now).directory
    for order in orders:
        _refuse_overwriting(order.folder)
        _refuse_credentials(order.broker)
        first_keys(directory, members_of_country(directory, order.country), at=now)
    begun: list[Path] = []
    try:
        made = []
        for order in orders:
            begun.append(order.folder)
            made.append(_make(order, directory, repository, now))
        repository.change(lambda present: _admission(present, made, now), at=now)
    except BaseException as error:
        for folder in begun:
            _remove(folder)
        if isinstance(error, OSError):
            raise UnavailableError("E_NODE_FOLDER", f"{error.filename}: {error.strerror}") from None
        raise
    return [one.node for one in made]


def render_settings(
    *,
    country: str,
    contact_points: Sequence[str],
    broker: BrokerPlace,
    mirror: Path,
) -> str:
    """The text of a node's settings file."""
    prefix = country.lower()
    relay, router = names.relay_account(prefix), names.router_account(prefix)
    values = {
        "country": _toml(country),
        "scheme": _toml(broker.scheme),
        "host": _toml(broker.host),
        "port": str(broker.port),
        "vhost": _toml(broker.vhost),
        "relay": _toml(relay),
        "relay_password": _toml(f"secrets/{relay}.password"),
        "router": _toml(router),
        "router_password": _toml(f"secrets/{router}.password"),
        "admin_url_file": _toml(str(broker.admin_url_file)),
        "management_url": f"management_url = {_toml(broker.management_url)}"
        if broker.management_url
        else '# management_url = "https://broker.example.org:15671"',
        "mirror": _toml(str(mirror)),
        "contact_points": "\n".join(_contact_point_table(identifier) for identifier in contact_points).rstrip(),
    }
    return Template(TEMPLATE.read_text("utf-8")).substitute(values)


@dataclass(frozen=True, slots=True)
class _Made:
    """A node's folder is there; its member key and its public keys are still to be admitted."""

    node: FoundNode
    prefix: str
    member_key: CryptoSigner = field(repr=False)
    public_keys: Sequence[PublicKey]


def _admission(present: VerifiedList, made: Sequence[_Made], now: datetime) -> Publication:
    """One change: governance lets these members sign their keys, and each signs its first ones."""
    admitted = {one.prefix: one.member_key.public_key for one in made}
    points = present.contact_points
    changes = [governance_change(present, network=present.network, contact_points=points, admitted=admitted, at=now)]
    enrolled = set(present.keys)
    for one in made:
        if one.prefix in enrolled:
            raise RefusedError("E_KEY_EXISTS", f"{one.prefix}: keys are enrolled already; nothing was changed")
        enrolled.add(one.prefix)
        own = keys_change(present, keys_document(one.prefix, one.public_keys), at=now)
        changes.append(own.signed_by([one.member_key], {member_role(one.prefix): [one.member_key.public_key.keyid]}))
    return joined(changes)


def _make(order: NodeOrder, directory: Directory, repository: TufRepository, now: datetime) -> _Made:
    country = order.country.upper()
    points = members_of_country(directory, country)
    folder = order.folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_secret(folder / "secrets" / "machine.key")
    machine_secret = read_secret(folder / "secrets" / "machine.key")
    member_key = make_member_key(folder / "secrets" / "member.pem", machine_secret=machine_secret)
    prefix = country.lower()
    accounts = [names.relay_account(prefix), names.router_account(prefix)]
    accounts += [names.inbox_account(point.id) for point in points]
    for account in accounts:
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        write_private(folder / "secrets" / f"{account}.password", f"{password}\n".encode())
    public_keys: list[PublicKey] = []
    kids: dict[str, list[str]] = {}
    for identifier, orders in first_keys(directory, points, at=now).items():
        keys_folder = folder / "keys" / identifier
        public_keys += [_made(keys_folder, key, machine_secret) for key in orders]
        kids[identifier] = [key.kid for key in orders]
        make_secret(keys_folder / "storage.key")
    write_private(folder / "trust" / "root.json", repository.first_root.read_bytes())
    text = render_settings(
        country=country, contact_points=list(kids), broker=order.broker, mirror=repository.mirror.resolve()
    )
    config = folder / SETTINGS
    with os.fdopen(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as file:
        file.write(text)
    return _Made(FoundNode(config, kids), prefix, member_key, public_keys)


def _made(folder: Path, order: KeyOrder, machine_secret: bytes) -> PublicKey:
    return order.enrolled(make_key(folder, order.kid, machine_secret=machine_secret))


def _parts(folder: Path) -> list[Path]:
    """What a node's folder consists of; a file of the administrator's beside them is not ours."""
    ours = [folder / SETTINGS, folder / "keys", folder / "trust"]
    ours += [folder / "secrets" / name for name in ("machine.key", "member.pem")]
    return [*ours, *(folder / "secrets").glob("*.password")]


def _refuse_overwriting(folder: Path) -> None:
    there = [part for part in _parts(folder) if part.exists()]
    if there:
        raise RefusedError("E_NODE_EXISTS", f"{there[0]} is there already; nothing was changed")


def _refuse_credentials(broker: BrokerPlace) -> None:
    if broker.management_url is not None and "@" in broker.management_url:
        detail = (
            "management url: found an account in it, expected https://host:port; the account belongs in admin_url_file"
        )
        raise BadInputError("E_BROKER_URL", detail, path="management_url")


def _remove(folder: Path) -> None:
    for part in _parts(folder):
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


def _contact_point_table(identifier: str) -> str:
    account = names.inbox_account(identifier)
    return (
        f"[[contact_points]]\nid = {_toml(identifier)}\nkeys = {_toml(f'keys/{identifier}')}\n"
        f"account = {{ user = {_toml(account)}, password_file = {_toml(f'secrets/{account}.password')} }}\n"
    )


def _toml(text: str) -> str:
    """A TOML basic string: what JSON escapes, TOML reads, except for DEL, which no path or name here has."""
    return json.dumps(text, ensure_ascii=False)
