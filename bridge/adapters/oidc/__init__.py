"""An identity provider by OpenID Connect: authorization code flow with PKCE, state and nonce.

Rules:
1. The provider is who its metadata says, to the letter; its addresses are https, on loopback http.
2. The ID token is signed by a key of the provider's set with an asymmetric algorithm; `none` and shared secrets are not
   looked at. A key that is not known makes the set be fetched again, once a minute at most.
3. Issuer, audience, authorised party, times (a minute of skew), nonce, hash of the access token: authlib's checks. What
   was asked for of the sign-in there (level, age) is held against the token too.
4. Every answer is bounded in time and size; none is followed elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError, MissingKeyError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from bridge.app.accounts.elsewhere import Begun
from bridge.core.errors import RefusedError, UnavailableError
from bridge.ports.clock import Clock

SKEW: Final = 60  # seconds
FRESH: Final = timedelta(hours=1)
KEYS_AGAIN: Final = timedelta(minutes=1)
SECONDS: Final = 10.0
LARGEST: Final = 1024 * 1024  # bytes of one answer
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
OK: Final = 200


@dataclass(frozen=True, slots=True)
class Client:
    """This node, as the provider knows it.

    Attributes:
        secret: reads it from its file, now.
        back: where browsers come back to.
        acr: levels of which one has to be reached.
        longest_login: how long ago a person may have signed in there.
    """

    id: str
    secret: Callable[[], str] = field(repr=False)
    scopes: Sequence[str]
    back: str
    longest_login: timedelta
    acr: Sequence[str] = ()


@dataclass(slots=True)
class _Known:
    """What was fetched, and when."""

    value: dict[str, Any]
    at: datetime


class OidcProvider:
    """Implements `bridge.app.accounts.elsewhere.IdentityProvider`."""

    def __init__(self, issuer: str, client: Client, clock: Clock) -> None:
        """Fetches nothing yet: a provider that is down keeps no node from starting."""
        self._issuer, self._client, self._clock = issuer, client, clock
        self._metadata: _Known | None = None
        self._keys: _Known | None = None

    @property
    def issuer(self) -> str:
        """Who it is."""
        return self._issuer

    async def address(self, begun: Begun) -> str:
        """Where to send the browser.

        Raises:
            UnavailableError: `E_PROVIDER`.
        """
        asked = {"acr_values": " ".join(self._client.acr)} if self._client.acr else {}
        address: str = prepare_grant_uri(
            await self._place("authorization_endpoint"),
            self._client.id,
            "code",
            redirect_uri=self._client.back,
            scope=" ".join(["openid", *self._client.scopes]),
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.verifier),
            code_challenge_method="S256",
            max_age=str(self._longest_login),
            **asked,
        )
        return address

    async def claims(self, begun: Begun, code: str, issuer: str | None) -> Mapping[str, object]:
        """What the provider says of who came back.

        Raises:
            RefusedError: `E_PROVIDER_ANSWER`.
            UnavailableError: `E_PROVIDER`.
        """
        says_issuer = (await self._about()).get("authorization_response_iss_parameter_supported") is True
        if issuer != self._issuer and (issuer is not None or says_issuer):
            raise _refused("iss: the answer is from another provider")  # RFC 9207
        answer = await self._exchange(begun, code)
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise _refused("id_token: expected one in the provider's answer")
        try:
            token = await self._verified(id_token)
            self._check(begun, token, answer.get("access_token"))
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _refused(f"id_token: {getattr(error, 'claim', None) or type(error).__name__}") from None
        return token.claims

    async def leaving(self) -> str | None:
        """Where to sign out there too; what cannot be asked for has no such place."""
        try:
            place = await self._place("end_session_endpoint")
        except UnavailableError:
            return None
        return f"{place}{'&' if '?' in place else '?'}{urlencode({'client_id': self._client.id})}"

    @property
    def _longest_login(self) -> int:
        return max(1, int(self._client.longest_login.total_seconds()))

    async def _exchange(self, begun: Begun, code: str) -> dict[str, Any]:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.back,
            "code_verifier": begun.verifier,
        }
        login = (quote(self._client.id, safe=""), quote(self._client.secret(), safe=""))  # RFC 6749, 2.3.1
        return await self._ask("POST", await self._place("token_endpoint"), data=fields, auth=login)

    async def _verified(self, id_token: str) -> jwt.Token:
        offered = (await self._about()).get("id_token_signing_alg_values_supported") or ["RS256"]
        registry = JWSRegistry(algorithms=[name for name in offered if name in ALGORITHMS], strict_check_header=False)
        try:
            return jwt.decode(id_token, KeySet.import_key_set(await self._key_set()), registry=registry)
        except (InvalidKeyIdError, MissingKeyError):
            if self._keys is None or self._keys.at + KEYS_AGAIN > self._clock.now():
                raise
        self._keys = None
        return jwt.decode(id_token, KeySet.import_key_set(await self._key_set()), registry=registry)

    def _check(self, begun: Begun, token: jwt.Token, access_token: object) -> None:
        now = int(self._clock.now().timestamp())
        options: dict[str, Any] = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": self._client.id},
        }
        params: dict[str, Any] = {"nonce": begun.nonce, "client_id": self._client.id, "access_token": access_token}
        params["max_age"] = self._longest_login
        if self._client.acr:
            options["acr"] = {"essential": True, "values": list(self._client.acr)}
        CodeIDToken(token.claims, token.header, options, params).validate(now=now, leeway=SKEW)
        for name in ("iss", "sub"):
            if not isinstance(token.claims[name], str) or not token.claims[name]:
                raise ValueError(name)
        if not token.claims["auth_time"] >= now - self._longest_login - SKEW:
            raise ValueError("auth_time")

    async def _about(self) -> dict[str, Any]:
        known = self._metadata
        if known is None or not known.at <= self._clock.now() < known.at + FRESH:
            place = f"{self._issuer.removesuffix('/')}/.well-known/openid-configuration"
            known = _Known(await self._ask("GET", place), self._clock.now())
            if known.value.get("issuer") != self._issuer:
                raise _unavailable("its metadata is another issuer's")
            self._metadata = known
        return known.value

    async def _key_set(self) -> Any:  # noqa: ANN401 - JSON, which the library takes apart
        known = self._keys
        if known is None or not known.at <= self._clock.now() < known.at + FRESH:
            known = self._keys = _Known(await self._ask("GET", await self._place("jwks_uri")), self._clock.now())
        return known.value

    async def _place(self, name: str) -> str:
        place = (await self._about()).get(name)
        if not isinstance(place, str) or not _is_usable(place):
            raise _unavailable(f"its metadata has no usable {name}")
        return place

    async def _ask(self, method: str, place: str, **sent: Any) -> dict[str, Any]:  # noqa: ANN401 - as httpx
        headers = {"Accept": "application/json"}
        try:
            async with (
                httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
                client.stream(method, place, headers=headers, **sent) as response,
            ):
                body = b""
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > LARGEST:
                        raise _unavailable("its answer is too large")
                answer = httpx.Response(response.status_code, content=body)
        except httpx.HTTPError as error:
            raise _unavailable(type(error).__name__) from None
        if method == "POST" and answer.is_client_error:
            raise _refused("the provider does not take the code")
        try:
            value = answer.json() if answer.status_code == OK else None
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise _unavailable(f"it answered {answer.status_code} without a JSON object")
        return value


def _is_usable(place: str) -> bool:
    parts = urlsplit(place)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _refused(why: str) -> RefusedError:
    return RefusedError("E_PROVIDER_ANSWER", f"identity provider: {why}")


def _unavailable(why: str) -> UnavailableError:
    return UnavailableError("E_PROVIDER", f"identity provider: {why}")
