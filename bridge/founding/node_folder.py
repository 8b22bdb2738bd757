"""A node's folder: keys, secrets, settings and the pinned root, made once.

```
node.toml                         the settings, with comments
secrets/machine.key               protects the key files
secrets/member.pem                signs which keys are this country's
secrets/<account>.password        the broker accounts, or
certificates/<account>.pem        where they sign in by certificate
keys/<contact point>/sig-*.pem    signs      enc-*.pem opens      (both on the token, where there is one)
keys/<contact point>/storage.key  protects bodies at rest
trust/root.json                   where trust begins
```
Nothing that exists is written over.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Final, Literal

from securesystemslib.signer import CryptoSigner

from bridge.adapters.amqp.topology import account_names
from bridge.adapters.certificates.files import request_certificates
from bridge.adapters.jose.key_files import FileKeys, make_secret, read_secret
from bridge.adapters.token import keys_on_token
from bridge.adapters.trust.governance.member_key import make_member_key
from bridge.app.enrol_node import KeyOrder
from bridge.core import broker_names as names
from bridge.core.directory import PublicKey
from bridge.core.errors import BadInputError, RefusedError
from bridge.ports.keys import KeyStore
from bridge.private_files import write_private
from bridge.settings.contact_points import TokenSettings
from bridge.settings.trust import is_address

SETTINGS: Final = "node.toml"
CERTIFICATES: Final = "certificates"
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

    @property
    def by_certificate(self) -> bool:
        """Whether accounts sign in with certificates of the network's authority: wherever there is TLS."""
        return self.scheme == "amqps"


@dataclass(frozen=True, slots=True)
class NodeOrder:
    """A node to be set up in `folder`; with a token, its contact points' keys are made there instead of in files."""

    folder: Path
    country: str
    broker: BrokerPlace = BrokerPlace()
    token: TokenSettings | None = None

    @property
    def prefix(self) -> str:
        """The country's prefix in ids: `rs`."""
        return self.country.lower()

    @property
    def certificates(self) -> Path:
        """The folder of the broker accounts' certificates."""
        return self.folder / CERTIFICATES


@dataclass(frozen=True, slots=True)
class MadeFolder:
    """A folder that is there; its member key and its public keys are still to be admitted.

    Attributes:
        keys: the private keys of each contact point.
        certificate_requests: broker account -> its request for a certificate (PEM); none where passwords sign in.
    """

    config: Path
    member_key: CryptoSigner = field(repr=False)
    keys: Mapping[str, KeyStore] = field(repr=False)
    public_keys: Sequence[PublicKey]
    certificate_requests: Mapping[str, bytes]


def make_folder(
    order: NodeOrder, keys: Mapping[str, Sequence[KeyOrder]], *, mirror: str, root_bytes: bytes
) -> MadeFolder:
    """Makes a node's folder with the ordered keys of each contact point; raises `OSError` where it cannot write."""
    folder = order.folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_secret(folder / "secrets" / "machine.key")
    machine_secret = read_secret(folder / "secrets" / "machine.key")
    member_key = make_member_key(folder / "secrets" / "member.pem", machine_secret=machine_secret)
    accounts = account_names(order.prefix, list(keys))
    requests: Mapping[str, bytes] = {}
    if order.broker.by_certificate:
        requests = request_certificates(order.certificates, accounts)
    else:
        for account in accounts:
            password = secrets.token_urlsafe(PASSWORD_BYTES)
            write_private(folder / "secrets" / f"{account}.password", f"{password}\n".encode())
    public_keys: list[PublicKey] = []
    stores: dict[str, KeyStore] = {}
    for identifier, orders in keys.items():
        keys_folder = folder / "keys" / identifier
        stores[identifier] = store = _store(order, keys_folder, identifier, machine_secret)
        public_keys += [key.enrolled(_point(store, key.kid)) for key in orders]
        make_secret(keys_folder / "storage.key")
    write_private(folder / "trust" / "root.json", root_bytes)
    text = render_settings(
        country=order.country.upper(),
        contact_points=list(keys),
        broker=order.broker,
        mirror=mirror,
        token=order.token,
    )
    config = folder / SETTINGS
    with os.fdopen(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as file:
        file.write(text)
    return MadeFolder(config, member_key, stores, public_keys, requests)


def refuse_order(order: NodeOrder) -> None:
    """Refuses what cannot be made before anything is.

    Raises:
        RefusedError: a node is in the folder already (`E_NODE_EXISTS`).
        BadInputError: the management API's address holds an account (`E_BROKER_URL`).
    """
    there = [part for part in _parts(order.folder) if part.exists()]
    if there:
        raise RefusedError("E_NODE_EXISTS", f"{there[0]} is there already; nothing was changed")
    url = order.broker.management_url
    if url is not None and "@" in url:
        detail = (
            "management url: found an account in it, expected https://host:port; the account belongs in admin_url_file"
        )
        raise BadInputError("E_BROKER_URL", detail, path="management_url")


def remove_folder(folder: Path) -> None:
    """Removes what `make_folder` made, also halfway; a file of the administrator's beside it stays."""
    for part in _parts(folder):
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


def render_settings(
    *,
    country: str,
    contact_points: Sequence[str],
    broker: BrokerPlace,
    mirror: str,
    token: TokenSettings | None = None,
) -> str:
    """The text of a node's settings file; `mirror` is a folder or an address."""
    prefix = country.lower()
    relay, router = names.relay_account(prefix), names.router_account(prefix)
    values = {
        "country": _toml(country),
        "scheme": _toml(broker.scheme),
        "host": _toml(broker.host),
        "port": str(broker.port),
        "vhost": _toml(broker.vhost),
        "relay": _account(relay, broker),
        "router": _account(router, broker),
        "certificates": f"{'' if broker.by_certificate else '# '}certificates = {_toml(CERTIFICATES)}",
        "admin_url_file": _toml(str(broker.admin_url_file)),
        "management_url": f"management_url = {_toml(broker.management_url)}"
        if broker.management_url
        else '# management_url = "https://broker.example.org:15671"',
        "mirror": f"mirrors = [{_toml(mirror)}]" if is_address(mirror) else f"mirror = {_toml(mirror)}",
        "contact_points": "\n".join(_contact_point_table(one, broker, token) for one in contact_points).rstrip(),
    }
    return Template(TEMPLATE.read_text("utf-8")).substitute(values)


def _parts(folder: Path) -> list[Path]:
    """What a node's folder consists of; a file of the administrator's beside them is not ours."""
    ours = [folder / SETTINGS, folder / CERTIFICATES, folder / "keys", folder / "trust"]
    ours += [folder / "secrets" / name for name in ("machine.key", "member.pem")]
    return [*ours, *(folder / "secrets").glob("*.password")]


def _store(order: NodeOrder, folder: Path, contact_point: str, machine_secret: bytes) -> KeyStore:
    token = order.token
    if token is None:
        return FileKeys(folder, contact_point, machine_secret=machine_secret)
    return keys_on_token(contact_point, module=token.module, label=token.label, pin_file=token.pin_file)


def _point(store: KeyStore, kid: str) -> bytes:
    """The public point of a new key; on a token one may be left of a set-up that was given up, and is nobody's yet."""
    return store.point(kid) if kid in store.kids() else store.make(kid)


def _contact_point_table(identifier: str, broker: BrokerPlace, token: TokenSettings | None) -> str:
    lines = [
        "[[contact_points]]",
        f"id = {_toml(identifier)}",
        f"keys = {_toml(f'keys/{identifier}')}",
        f"account = {_account(names.inbox_account(identifier), broker)}",
    ]
    if token is not None:
        module, label, pin_file = (_toml(str(value)) for value in (token.module, token.label, token.pin_file))
        lines.append(f"token = {{ module = {module}, label = {label}, pin_file = {pin_file} }}")
    return "\n".join((*lines, ""))


def _account(name: str, broker: BrokerPlace) -> str:
    password = "" if broker.by_certificate else f", password_file = {_toml(f'secrets/{name}.password')}"
    return f"{{ user = {_toml(name)}{password} }}"


def _toml(text: str) -> str:
    """A TOML basic string: what JSON escapes, TOML reads, except for DEL, which no path or name here has."""
    return json.dumps(text, ensure_ascii=False)
