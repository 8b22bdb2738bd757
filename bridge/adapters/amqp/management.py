"""The little of RabbitMQ's management API that applying a topology needs.

It sends the password on loopback or under TLS only, follows no redirect and uses no proxy. It blocks: call it in a
thread.
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import quote, unquote, urlsplit

from bridge.core.errors import BadInputError, RefusedError, UnavailableError

DEADLINE_SECONDS: Final = 30.0
PORTS: Final = {"http": 15672, "https": 15671}
OK: Final = 200
REDIRECT: Final = 300
UNAUTHORISED: Final = 401
NOT_FOUND: Final = 404
LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Management:
    """One API and the account for it."""

    scheme: str
    host: str
    port: int
    authorization: str = field(repr=False)

    @classmethod
    def at(cls, url: str) -> Self:
        """Reads `https://account:password@host:port`; plain `http` for a loopback host only.

        Raises:
            BadInputError: another scheme, no account, or the password would travel in the clear.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        try:
            port = parts.port
        except ValueError:  # its own words would quote what may be a piece of the password
            expected = "expected https://account:password@host:port, special characters in the password as %XX"
            raise BadInputError("E_BROKER_URL", f"the URL of the management API is malformed: {expected}") from None
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
            raise BadInputError("E_BROKER_URL", f"the management API at {host} needs https (http on loopback only)")
        if parts.username is None or parts.password is None:
            raise BadInputError(
                "E_BROKER_URL", f"the URL of the management API at {host} names no account and password"
            )
        login = f"{unquote(parts.username)}:{unquote(parts.password)}"
        basic = "Basic " + base64.b64encode(login.encode("utf-8")).decode("ascii")
        return cls(parts.scheme, host, port or PORTS[parts.scheme], basic)

    def export(self) -> Mapping[str, Any]:
        """All definitions of the broker, password hashes among them."""
        exported: Mapping[str, Any] = json.loads(self.request("GET", "/api/definitions")[1])
        return exported

    def depths(self, vhost: str) -> Mapping[str, int]:
        """Queue -> messages in it, ready and in work; as of a few seconds ago."""
        path = f"/api/queues/{_quoted(vhost)}?disable_stats=true&enable_queue_totals=true"
        status, answer = self.request("GET", path)
        return {} if status == NOT_FOUND else {entry["name"]: entry.get("messages", 0) for entry in json.loads(answer)}

    def delete(self, kind: str, *name: str) -> None:
        """Deletes one thing; what is not there is no error."""
        self.request("DELETE", f"/api/{kind}/{'/'.join(map(_quoted, name))}")

    def forbid(self, account: str, vhost: str) -> None:
        """Takes an account's permissions in one virtual host; it stays for the others."""
        for kind in ("permissions", "topic-permissions"):
            self.delete(kind, vhost, account)

    def unbind(self, binding: Mapping[str, object], vhost: str) -> None:
        """Removes a binding, as the definitions name it."""
        kind = "q" if binding["destination_type"] == "queue" else "e"
        path = f"/api/bindings/{_quoted(vhost)}/e/{_quoted(binding['source'])}/{kind}/{_quoted(binding['destination'])}"
        for entry in json.loads(self.request("GET", path)[1]):
            if entry["routing_key"] == binding["routing_key"]:
                self.request("DELETE", f"{path}/{_quoted(entry['properties_key'])}")

    def connections(self, accounts: Collection[str], vhost: str) -> dict[str, str]:
        """The connections of these accounts to a virtual host: name -> account; very new ones may be missing."""
        _, answer = self.request("GET", "/api/connections?columns=name,user,vhost")
        found = (entry for entry in json.loads(answer) if entry.get("vhost") == vhost)
        return {entry["name"]: entry["user"] for entry in found if entry.get("user") in accounts}

    def close_connections(self, accounts: Collection[str], vhost: str) -> dict[str, str]:
        """Closes them until none is left, and answers which there were.

        Raises:
            UnavailableError: some are still there after a while.
        """
        closed: dict[str, str] = {}
        deadline = time.monotonic() + DEADLINE_SECONDS
        while there := self.connections(accounts, vhost):
            if time.monotonic() > deadline:
                detail = f"{len(there)} connections of {', '.join(sorted(accounts))} do not close"
                raise UnavailableError("E_BROKER_CONNECTIONS", detail)
            for name in there:
                self.delete("connections", name)
            closed |= there
            time.sleep(LOOK_SECONDS)
        return closed

    def load(self, document: object) -> None:
        """Imports a definitions document."""
        self.request("POST", "/api/definitions", document)

    def request(
        self, method: str, path: str, document: object = None, *, deadline_seconds: float = DEADLINE_SECONDS
    ) -> tuple[int, bytes]:
        """The status, 2xx or 404, and the body.

        Raises:
            UnavailableError: nobody answers, the account is refused, or the broker has an internal fault.
            RefusedError: the broker refuses the request.
        """
        where = f"the management API at {self.host}:{self.port}"
        body_bytes = None if document is None else json.dumps(document).encode("utf-8")
        kind = http.client.HTTPSConnection if self.scheme == "https" else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=deadline_seconds)
        headers = {"Authorization": self.authorization, "Content-Type": "application/json"}
        try:
            connection.request(method, path, body_bytes, headers)
            response = connection.getresponse()
            status, answer_bytes = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError("E_BROKER_UNREACHABLE", f"{where} cannot be reached: {error}") from error
        finally:
            connection.close()
        if status == UNAUTHORISED:
            raise UnavailableError("E_BROKER_CREDENTIALS", f"{where} refuses the account")
        if status >= http.client.INTERNAL_SERVER_ERROR:
            raise UnavailableError("E_BROKER_UNREACHABLE", f"{where} failed with status {status}")
        if not OK <= status < REDIRECT and status != NOT_FOUND:
            reason = answer_bytes.decode("utf-8", errors="replace")
            raise RefusedError("E_TOPOLOGY", f"{where} refuses {method} {path}: {status} {reason}")
        return status, answer_bytes


def _quoted(name: object) -> str:
    return quote(str(name), safe="")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
