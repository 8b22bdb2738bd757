"""A small OpenID Connect provider on loopback: everybody who comes is signed in, as whom the test says.

It checks what a provider checks (client, redirect address, code once, PKCE), and lies in its ID token where a test asks
it to.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "ncp-bridge", "a secret: with signs%"


def _key(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name, "alg": "ES256", "use": "sig"})


@dataclass
class Provider:
    """The provider, and what a test may change.

    Attributes:
        person: the claims beside those of the protocol.
        lie: changes the claims of the next ID tokens.
        forge: makes the ID token of claims, instead of the provider's own signature.
        moment: tells the time.
        asked: the parameters of the last authorisation request.
        is_down: answers 503 to everything.
    """

    moment: Callable[[], float]
    redirect: str
    issuer: str = ""
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "17", "groups": ["ncp-duty"], "name": "A. Kos"})
    lie: dict[str, Any] = field(default_factory=dict)
    forge: Callable[[dict[str, Any]], str] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    keys: list[ECKey] = field(default_factory=lambda: [_key("first")])
    is_down: bool = False
    key_requests: int = 0
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> Starlette:
        """Its addresses."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._about),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
            ]
        )

    def roll_key(self) -> None:
        """Signs with another key from now on; the first one is gone."""
        self.keys = [_key(secrets.token_hex(4))]

    async def _about(self, _: Request) -> Response:
        if self.is_down:
            return Response(status_code=503)
        about = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["ES256", "none", "HS256"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }
        return JSONResponse(about)

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if asked["client_id"] != CLIENT or asked["redirect_uri"] != self.redirect:
            return Response("unknown client or address", status_code=400)
        self.asked = asked
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 303)

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        login = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        is_client = login == f"{CLIENT}:a%20secret%3A%20with%20signs%25"
        if asked is None or not is_client or challenge.decode() != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(self.moment())
        access = secrets.token_urlsafe(16)
        half = base64.urlsafe_b64encode(hashlib.sha256(access.encode()).digest()[:16]).rstrip(b"=").decode()
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": asked["nonce"],
            "at_hash": half,
            **self.person,
            **self.lie,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.forge(claims) if self.forge else self.sign(claims)
        return JSONResponse({"access_token": access, "token_type": "Bearer", "id_token": token})

    def sign(self, claims: dict[str, Any]) -> str:
        """An ID token, by the newest key."""
        return jwt.encode({"alg": "ES256", "kid": self.keys[-1].kid}, claims, self.keys[-1])

    async def _keys(self, _: Request) -> Response:
        self.key_requests += 1
        return JSONResponse(KeySet(self.keys).as_dict(private=False))


def unsigned(claims: dict[str, Any]) -> str:
    """An ID token with the algorithm `none`."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "none"}, claims)]
    return b".".join([*parts, b""]).decode()


@contextlib.contextmanager
def running_provider(provider: Provider) -> Iterator[Provider]:
    """The provider at an address of its own, until the block ends."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listening:
        provider.issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(provider.app(), log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        deadline = time.monotonic() + 30
        while not server.started:
            if time.monotonic() > deadline:
                message = "the provider did not start in time"
                raise TimeoutError(message)
            time.sleep(0.01)
        try:
            yield provider
        finally:
            server.should_exit = True
            thread.join(30)
