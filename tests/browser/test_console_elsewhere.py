"""Signing in at a provider of another site, in a browser that keeps the cookies' rules, and out again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from conftest import OpenVisit
from servers.oidc_provider import CLIENT, SECRET, Provider, running_provider
from small_console import console_at, free_origin, people_in

from bridge.adapters.oidc import Client, OidcProvider
from bridge.app.accounts.elsewhere import ClaimRules, SignInElsewhere
from bridge.app.accounts.roles import Role


async def test_whoever_comes_back_from_another_site_is_signed_in(open_visit: OpenVisit, tmp_path: Path) -> None:
    # given a provider on another site than the console's, for a browser: another name of this machine
    origin = free_origin()
    async with people_in(tmp_path) as people:
        provider = Provider(lambda: people.clock.now().timestamp(), f"{origin}/sign-in/back")
        with running_provider(provider):
            provider.issuer = provider.issuer.replace("127.0.0.1", "localhost")
            provider.metadata = {"end_session_endpoint": f"{provider.issuer}/leave"}
            client = Client(CLIENT, lambda: SECRET, (), provider.redirect, timedelta(minutes=5))
            people.elsewhere = SignInElsewhere(
                people.store,
                OidcProvider(provider.issuer, client, people.clock),
                people.clock,
                ("rs.ncp",),
                ClaimRules("groups", {"ncp-duty": Role.ADMINISTRATOR}, None, None),
            )
            async with console_at(origin, people):
                # when somebody follows the link, then they come back to where they wanted to be
                visit = await open_visit(origin)
                await visit.go("/sign-in?next=/account")
                await visit.page.get_by_role("link", name="Sign in with your organisation's account").click()
                await visit.page.wait_for_url(f"{origin}/account")
                assert await visit.page.get_by_role("heading", name="A. Kos").is_visible()

                # and when they sign out, they do so there too
                await visit.page.get_by_role("button", name="Sign out", exact=True).click()
                await visit.page.wait_for_url(f"{provider.issuer}/leave**")
                assert await visit.page.context.cookies(origin) == []
                faults = await visit.take_faults()
                assert not [fault for fault in faults if fault.startswith("policy")]
