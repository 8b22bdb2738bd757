"""One's own account: password, and where one is signed in."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from bridge.app.accounts.passwords import SHORTEST_PASSWORD
from bridge.app.accounts.roles import Permission
from bridge.console.access import Page
from bridge.console.guard.session import set_token
from bridge.console.visit import UNPROCESSABLE, Visit
from bridge.core.errors import BadInputError, BridgeError, RefusedError


async def _own(visit: Visit) -> Response:
    return await _show(visit)


async def _change_password(visit: Visit) -> Response:
    new = visit.field("password")
    if new != visit.field("password_again"):
        error = BadInputError("E_ACCOUNT", "password: expected the same twice", path="password_again")
        return await _show(visit, error=error)
    if not visit.limits.login.take(visit.person.login, visit.parts.clock.now()):
        return visit.too_many()
    try:
        token = await visit.parts.sign_in.change_password(visit.person, visit.field("old_password"), new)
    except (BadInputError, RefusedError) as refusal:
        return await _show(visit, error=refusal)
    response = visit.go("own_account", query={"done": "password"})
    set_token(response, token, visit.parts.country)
    return response


async def _show(visit: Visit, error: BridgeError | None = None) -> Response:
    account = await visit.parts.accounts.get(visit.person.login)
    return visit.show(
        "own_account.html",
        status=UNPROCESSABLE if error else 200,
        account=account,
        sessions=await visit.parts.accounts.sessions(visit.person.login),
        own_digest=visit.signed_in.digest if visit.signed_in else None,
        error=error,
        done=visit.query("done"),
        shortest=SHORTEST_PASSWORD,
    )


PAGES: Final = (
    Page("/account", "own_account", _own, Permission.OWN_ACCOUNT),
    Page("/account/password", "change_own_password", _change_password, Permission.OWN_ACCOUNT, "POST"),
)
