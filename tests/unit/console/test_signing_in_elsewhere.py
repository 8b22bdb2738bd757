"""Signing in at an identity provider, from the link to the session; an answer that is not as it should is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from console_world import HOSTED, ORIGIN, Browser, MovedClock, World
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from servers.oidc_provider import CLIENT, SECRET, Provider, running_provider, unsigned

from bridge.adapters.oidc import Client, OidcProvider
from bridge.app.accounts.elsewhere import BEGUN_FOR, ClaimRules, SignInElsewhere
from bridge.app.accounts.roles import Role
from bridge.app.accounts.sign_in import MOST_FAILURES
from bridge.console.guard.session import cookie_name
from bridge.core.errors import RefusedError

BACK = f"{ORIGIN}/sign-in/back"
GROUPS = {"ncp-duty": Role.DUTY_OFFICER, "ncp-release": Role.APPROVER, "ncp-admin": Role.ADMINISTRATOR}


@pytest.fixture(scope="module")
def shared_provider() -> Iterator[Provider]:
    with running_provider(Provider(lambda: 0.0, BACK)) as provider:
        yield provider


@pytest.fixture
def provider(shared_provider: Provider, people: World) -> Provider:
    """The provider as it is before any test changed it."""
    fresh = Provider(lambda: people.clock.now().timestamp(), BACK, shared_provider.issuer)
    for name in ("moment", "person", "lie", "forge", "metadata", "asked", "keys", "is_down", "key_requests"):
        setattr(shared_provider, name, getattr(fresh, name))
    return shared_provider


def client(*, acr: tuple[str, ...] = ()) -> Client:
    return Client(CLIENT, lambda: SECRET, ("profile",), BACK, timedelta(minutes=30), acr)


def elsewhere(
    people: World, provider: Provider, *, claim: str | None = None, known_as: Client | None = None
) -> SignInElsewhere:
    rules = ClaimRules("groups", GROUPS, claim, None if claim else "rs.ncp")
    idp = OidcProvider(provider.issuer, known_as or client(), people.clock)
    return SignInElsewhere(people.store, idp, people.clock, HOSTED, rules)


@pytest.fixture
def browser(people: World, provider: Provider) -> Browser:
    people.elsewhere = elsewhere(people, provider)
    return Browser(people.app())


async def go(browser: Browser, wanted: str = "/account") -> str:
    """Follows the link to the provider; the address with which it sends the browser back."""
    sent = await browser.get(f"/sign-in/elsewhere?next={wanted}")
    assert sent.status_code == 303
    async with httpx.AsyncClient() as outside:
        answer = await outside.get(sent.headers["location"])
    assert answer.status_code == 303, answer.text
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}" == ORIGIN
    return f"{back.path}?{back.query}"


async def test_whoever_the_provider_knows_has_a_session(people: World, browser: Browser, provider: Provider) -> None:
    # when somebody comes back for the first time
    answer = await browser.get(await go(browser))

    # then they have an account and go on from a page of ours, for the cookie is for this origin alone
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0;url=/account">' in answer.text
    assert (await browser.get("/account")).status_code == 200
    account = (await people.accounts.all())[0]
    assert (account.name, account.roles, account.contact_point) == ("A. Kos", ("duty_officer",), "rs.ncp")
    assert account.subject == f"{provider.issuer} 17"
    assert account.password_hash is None
    assert provider.asked["code_challenge_method"] == "S256"
    assert provider.asked["scope"] == "openid profile"

    # and the next time it is the same account
    await browser.get(await go(browser))
    assert len(await people.accounts.all()) == 1


async def test_the_same_name_is_not_the_same_person(people: World, browser: Browser, provider: Provider) -> None:
    provider.person |= {"preferred_username": "a.kos"}
    await browser.get(await go(browser))
    provider.person |= {"sub": "18"}
    await browser.get(await go(browser))
    logins = [account.login for account in await people.accounts.all()]
    assert len(logins) == 2
    assert logins[0] == "a.kos"


async def test_a_local_account_is_never_taken_over_by_its_name(
    people: World, browser: Browser, provider: Provider
) -> None:
    await people.person(Role.ADMINISTRATOR, login="admin")
    provider.person |= {"preferred_username": "admin"}
    await browser.get(await go(browser))
    assert (await people.accounts.get("admin")).roles == ("administrator",)
    assert len(await people.accounts.all()) == 2


async def test_other_groups_are_other_roles_and_end_other_sessions(
    people: World, browser: Browser, provider: Provider
) -> None:
    await browser.get(await go(browser))
    other = Browser(people.app())
    provider.person |= {"groups": ["ncp-release", "ncp-admin", "unknown", 5]}
    await other.get(await go(other))
    assert (await people.accounts.all())[0].roles == ("administrator", "approver")
    assert (await browser.get("/account")).status_code == 303
    assert (await other.get("/account")).status_code == 200


@pytest.mark.parametrize("groups", [[], ["unknown"], None, {"ncp-duty": True}, "ncp"])
async def test_whoever_has_no_role_has_no_account(
    people: World, browser: Browser, provider: Provider, groups: object
) -> None:
    provider.person |= {"groups": groups}
    answer = await browser.get(await go(browser))
    assert answer.status_code == 403
    assert "E_PROVIDER_ROLES" in answer.text
    assert await people.accounts.all() == []


async def test_roles_that_were_taken_away_are_gone(people: World, browser: Browser, provider: Provider) -> None:
    await browser.get(await go(browser))
    provider.person |= {"groups": []}
    again = Browser(people.app())
    assert (await again.get(await go(again))).status_code == 403
    assert (await people.accounts.all())[0].roles == ()
    assert (await browser.get("/account")).status_code == 303


async def test_wrong_passwords_for_its_login_close_no_account_of_the_provider(people: World, browser: Browser) -> None:
    await browser.get(await go(browser))
    login = (await people.accounts.all())[0].login
    for _ in range(MOST_FAILURES):
        with pytest.raises(RefusedError):
            await people.sign_in.by_password(login, "a guess")
    assert (await browser.get(await go(browser))).status_code == 200


async def test_the_session_before_ends_though_its_cookie_does_not_come_back(people: World, browser: Browser) -> None:
    # given a browser that is signed in, and sends its strict cookie along with nothing that the provider began
    await browser.get(await go(browser))
    before = browser.own_token or ""
    back = await go(browser)
    browser.client.cookies.delete(cookie_name("RS"))
    answer = await browser.get(back)
    assert answer.status_code == 200
    assert "A. Kos" not in answer.text
    assert await people.sign_in.session(before) is None
    assert (await browser.get("/account")).status_code == 200


async def test_nobody_is_called_as_the_form_for_new_accounts(
    people: World, browser: Browser, provider: Provider
) -> None:
    provider.person |= {"preferred_username": "new"}
    await browser.get(await go(browser))
    assert [account.login for account in await people.accounts.all()] == ["person"]


async def test_a_closed_account_stays_closed(people: World, browser: Browser) -> None:
    await browser.get(await go(browser))
    await people.accounts.disable((await people.accounts.all())[0].login, by="admin")
    assert (await browser.get(await go(browser))).status_code == 403


async def test_a_claim_says_whose_messages_somebody_reads(people: World, provider: Provider) -> None:
    people.elsewhere = elsewhere(people, provider, claim="ncp")
    browser = Browser(people.app())
    for said, status in (("at.ncp", 403), (None, 403), ("rs.ncp", 200)):
        provider.person |= {"ncp": said}
        assert (await browser.get(await go(browser))).status_code == status
    provider.person |= {"ncp": None, "groups": ["ncp-admin"], "sub": "19"}
    assert (await browser.get(await go(browser))).status_code == 200


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"azp": "another-client"},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"sub": None},
        {"sub": 17},
        {"sub": ""},
        {"exp": 1},
        {"exp": None},
        {"iat": 9999999999},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    ids=lambda lie: "-".join(f"{name}={value}" for name, value in lie.items()),
)
async def test_an_id_token_that_is_not_for_us_now_is_refused(
    people: World, browser: Browser, provider: Provider, lie: dict[str, Any]
) -> None:
    provider.lie = lie
    answer = await browser.get(await go(browser))
    assert answer.status_code == 403
    assert "E_PROVIDER_ANSWER" in answer.text
    assert await people.accounts.all() == []
    assert browser.own_token is None


@pytest.mark.parametrize("seconds", [-50, 50])
async def test_a_minute_of_skew_is_forgiven(people: World, browser: Browser, provider: Provider, seconds: int) -> None:
    now = people.clock.now().timestamp()
    provider.moment = lambda: now + seconds
    provider.lie = {"exp": int(now) - 50}
    assert (await browser.get(await go(browser))).status_code == 200


def by_a_stranger(claims: dict[str, Any]) -> str:
    stranger = ECKey.generate_key("P-256", {"kid": "first"})
    return jwt.encode({"alg": "ES256", "kid": "first"}, claims, stranger)


def by_an_unknown_key(claims: dict[str, Any]) -> str:
    stranger = ECKey.generate_key("P-256", {"kid": "unknown"})
    return jwt.encode({"alg": "ES256", "kid": "unknown"}, claims, stranger)


def by_our_secret(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET.encode().ljust(32)), algorithms=["HS256"])


@pytest.mark.parametrize(
    "forge",
    [unsigned, by_a_stranger, by_an_unknown_key, by_our_secret, lambda _: "no.token", lambda _: ""],
    ids=["none", "stranger", "unknown-key", "secret", "garbage", "empty"],
)
async def test_an_id_token_that_the_provider_did_not_sign_is_refused(
    browser: Browser, provider: Provider, forge: Callable[[dict[str, Any]], str]
) -> None:
    provider.forge = forge
    answer = await browser.get(await go(browser))
    assert answer.status_code == 403
    assert browser.own_token is None


async def test_a_new_key_of_the_provider_is_found_but_not_looked_for_at_will(
    people: World, browser: Browser, provider: Provider
) -> None:
    await browser.get(await go(browser))
    provider.roll_key()
    assert (await browser.get(await go(browser))).status_code == 403
    assert provider.key_requests == 1
    people.clock.advance(timedelta(minutes=1))
    assert (await browser.get(await go(browser))).status_code == 200
    assert provider.key_requests == 2


async def test_an_answer_is_taken_once_and_by_who_began_it(people: World, browser: Browser, provider: Provider) -> None:
    # given an answer for one browser
    back = await go(browser)

    # when another brings it, one that began something itself, or the first brings it twice
    stranger, other = Browser(people.app()), Browser(people.app())
    assert (await stranger.get(back)).status_code == 403
    await go(other)
    assert (await other.get(back)).status_code == 403
    assert (await browser.get(back)).status_code == 200
    assert (await browser.get(back)).status_code == 403
    assert provider.person


async def test_what_was_begun_long_ago_is_over(people: World, browser: Browser) -> None:
    back = await go(browser)
    people.clock.advance(BEGUN_FOR)
    assert (await browser.get(back)).status_code == 403


@pytest.mark.parametrize(
    "change",
    [("state=", "state=x"), ("state=", "state=%C3%A9"), ("iss=http", "iss=httpx"), ("&iss=", "&was="), ("code=", "c=")],
)
async def test_an_answer_that_was_changed_on_the_way_is_refused(browser: Browser, change: tuple[str, str]) -> None:
    back = await go(browser)
    assert (await browser.get(back.replace(*change))).status_code == 403


async def test_the_provider_sends_nobody_elsewhere(browser: Browser) -> None:
    sent = (await browser.get("/sign-in/elsewhere?next=https://evil.example")).headers["location"]
    async with httpx.AsyncClient() as outside:
        answer = await outside.get(sent.replace("console.example", "evil.example"))
    assert answer.status_code == 400


async def test_a_level_and_an_age_that_are_asked_for_are_held_against_the_answer(
    people: World, provider: Provider
) -> None:
    people.elsewhere = elsewhere(people, provider, known_as=client(acr=("high",)))
    browser = Browser(people.app())
    now = int(people.clock.now().timestamp())
    for lie, status in (
        ({}, 403),
        ({"acr": "low"}, 403),
        ({"acr": "high", "auth_time": now - 3600}, 403),
        ({"acr": "high", "auth_time": None}, 403),
        ({"acr": "high"}, 200),
    ):
        provider.lie = lie
        assert (await browser.get(await go(browser))).status_code == status, lie
    assert provider.asked["acr_values"] == "high"
    assert provider.asked["max_age"] == "1800"


async def test_signing_out_goes_on_to_the_provider(people: World, provider: Provider) -> None:
    # given somebody who came from the provider; when they sign out, then they are here, and sent to do so there
    people.elsewhere = elsewhere(people, provider)
    provider_says = {"end_session_endpoint": f"{provider.issuer}/leave"}
    for metadata, place in ((provider_says, f"{provider.issuer}/leave?client_id=ncp-bridge"), ({}, None)):
        provider.metadata = metadata
        people.clock.advance(timedelta(hours=1))  # metadata are asked for again
        fresh = Browser(people.app())
        await fresh.get(await go(fresh))
        answer = await fresh.post("/sign-out")
        assert answer.status_code == 200
        assert fresh.own_token is None
        assert (f'content="0;url={place}"' in answer.text) is (place is not None)
        assert "A. Kos" not in answer.text

    # and who has a password is not
    await people.person(Role.DUTY_OFFICER, login="duty")
    local = Browser(people.app(), await people.session("duty"))
    assert (await local.post("/sign-out")).status_code == 303


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://elsewhere.example"},
        {"authorization_endpoint": "http://elsewhere.example/authorize"},
        {"authorization_endpoint": None},
    ],
    ids=["another", "plain-http", "missing"],
)
async def test_metadata_that_are_not_the_providers_are_not_used(
    browser: Browser, provider: Provider, metadata: dict[str, Any]
) -> None:
    provider.metadata = metadata
    answer = await browser.get("/sign-in/elsewhere")
    assert answer.status_code == 503
    assert "E_PROVIDER" in answer.text


async def test_a_provider_that_is_down_is_said_so_and_passwords_still_work(
    people: World, browser: Browser, provider: Provider
) -> None:
    provider.is_down = True
    assert (await browser.get("/sign-in/elsewhere")).status_code == 503
    await people.person(Role.DUTY_OFFICER, login="duty")
    assert await people.session("duty")

    # and one that is not there at all
    nowhere = OidcProvider("http://127.0.0.1:9", client(), MovedClock())
    people.elsewhere = SignInElsewhere(
        people.store, nowhere, people.clock, HOSTED, ClaimRules("groups", GROUPS, None, "rs.ncp")
    )
    assert (await Browser(people.app()).get("/sign-in/elsewhere")).status_code == 503
