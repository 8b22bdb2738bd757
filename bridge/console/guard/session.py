"""The session's cookie, and the token against forged forms that is derived from it.

Rules:
1. `__Host-` binds the cookie to this origin; it is Secure, HttpOnly and SameSite=Strict. The country is in its name, so
   that the consoles of a demonstration do not sign each other out.
2. The form token is a MAC of the session's token: whoever can send it has read one of our pages in this session.
"""

from __future__ import annotations

import hashlib
import hmac

from starlette.requests import Request
from starlette.responses import Response


def cookie_name(country: str) -> str:
    """The cookie of this node's console."""
    return f"__Host-ncp-bridge-{country.lower()}"


def token_in(request: Request, country: str) -> str | None:
    """The session's token, if the browser sent one."""
    return request.cookies.get(cookie_name(country))


def set_token(response: Response, token: str, country: str) -> None:
    """Hands the token to the browser, for as long as it is open."""
    response.set_cookie(cookie_name(country), token, path="/", secure=True, httponly=True, samesite="strict")


def drop_token(response: Response, country: str) -> None:
    """Takes it back."""
    response.delete_cookie(cookie_name(country), path="/", secure=True, httponly=True, samesite="strict")


def form_token(token: str) -> str:
    """What every form of a session carries."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"ncp-bridge form", hashlib.sha256).hexdigest()
