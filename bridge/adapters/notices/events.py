"""Posting events to the addresses of national systems, which whoever has a token may name: nothing inside is reached.

Rules:
1. HTTPS; plain HTTP on loopback only, and only where the settings name the host (`webhook_hosts` in `[api]`).
2. Every address that a name resolves to is public, or the settings name that host. Link-local addresses, behind which
   clouds keep their secrets, and those that are no single host's are never posted to.
3. What was looked at is what is connected to: the name is not resolved a second time. Its certificate is that of the
   name.
4. As `posting`: no redirect, no proxy, nothing read of the answer but its status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Final

import httpx

from bridge.adapters.notices.names import Address, Names
from bridge.adapters.notices.posting import WHOLE_SECONDS, post_once
from bridge.core.errors import BadInputError, UnavailableError

_TRANSLATED: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address
# Not public, which the tables of Python 3.11 do not know: site-local, documentation, relays of 6to4.
_NOT_PUBLIC: Final = (IPv6Network("fec0::/10"), IPv6Network("3fff::/20"), IPv4Network("192.88.99.0/24"))
_LONGEST: Final = 2000
_LONGEST_HOST: Final = 253  # RFC 1035
_LONGEST_LABEL: Final = 63
_LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class EventPoster:
    """Implements `bridge.ports.webhooks.WebhookPoster`.

    Attributes:
        hosts: names and addresses, in small letters, that may be private or on this machine.
        authorities: of the receivers' certificates; `None`: those of this machine.
    """

    hosts: Collection[str] = ()
    authorities: str | None = None
    names: Names = field(default_factory=Names, repr=False, compare=False)

    def check(self, url: str) -> None:
        """Whether an address may be named at all; where its name leads is looked at with each attempt.

        Raises:
            BadInputError: `E_WEBHOOK_ADDRESS`.
        """
        try:
            self._parsed(url)
        except UnavailableError as error:
            raise BadInputError(error.code, f"url: {error.message}", path="url") from None

    async def post(self, url: str, body_bytes: bytes, headers: Mapping[str, str]) -> int:
        """Posts once; see the port. Addresses that do not answer are tried in turn, within the time of one attempt."""
        parsed = self._parsed(url)
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                addresses = await self._addresses(parsed)
                *others, last = addresses
                for address in others:
                    try:
                        return await self._post(parsed, address, body_bytes, headers)
                    except httpx.ConnectError:
                        continue
                return await self._post(parsed, last, body_bytes, headers)
        except TimeoutError:
            raise _unreachable("it did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise _unreachable(type(error).__name__) from None

    async def _post(self, url: httpx.URL, address: Address, body_bytes: bytes, headers: Mapping[str, str]) -> int:
        return await post_once(
            str(url.copy_with(host=str(address))),
            body_bytes,
            {**headers, "Host": url.netloc.decode("ascii")},
            authorities=self.authorities,
            server_name=url.raw_host.decode("ascii"),
        )

    async def _addresses(self, url: httpx.URL) -> Sequence[Address]:
        """Where a name leads now, if all of it may be posted to."""
        host = url.raw_host.decode("ascii")
        addresses = await self.names.addresses(host)
        if not addresses:
            raise _unreachable("its name leads nowhere")
        for address in map(_inner, addresses):
            if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
                raise _refused("it leads to an address that is never posted to")
            is_public = address.is_global and not any(address in network for network in _NOT_PUBLIC)
            if not is_public and host not in self.hosts:
                raise _refused("it leads to a private address; webhook_hosts in [api] names hosts that may")
            if url.scheme == "http" and not address.is_loopback:
                raise _refused("expected https: it is not on this machine")
        return addresses

    def _parsed(self, url: str) -> httpx.URL:
        try:
            parsed = httpx.URL(url)
            host = parsed.host  # decodes it, which fails for what is no name in another script
        except (httpx.InvalidURL, ValueError):
            raise _refused("expected an address") from None
        if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url:
            raise _refused(f"expected at most {_LONGEST} printable ASCII characters")
        if parsed.userinfo or parsed.fragment or not host:
            raise _refused("expected a host, and neither an account nor a fragment")
        if not _is_host(parsed.raw_host.decode("ascii")):
            raise _refused("expected a host of at most 253 characters, each part of it 1 to 63")
        if parsed.port is not None and not 0 < parsed.port <= _LAST_PORT:
            raise _refused("expected a port from 1 to 65535")
        if parsed.scheme != "https" and not (parsed.scheme == "http" and parsed.raw_host.decode("ascii") in self.hosts):
            raise _refused("expected https; http only on this machine, where webhook_hosts in [api] names the host")
        return parsed


def _is_host(host: str) -> bool:
    parts = host.removesuffix(".").split(".")
    return len(host) <= _LONGEST_HOST and all(0 < len(part) <= _LONGEST_LABEL for part in parts)


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for: whoever forbids 10.0.0.1 means `::ffff:10.0.0.1`, too."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def _refused(why: str) -> UnavailableError:
    return UnavailableError("E_WEBHOOK_ADDRESS", why)


def _unreachable(why: str) -> UnavailableError:
    return UnavailableError("E_WEBHOOK_UNREACHABLE", why)
