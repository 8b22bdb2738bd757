"""Tokens of SoftHSM2 that are tried again at once after they were lost."""

from __future__ import annotations

import pytest
from servers.softhsm_fixtures import MakeToken

from broker.soft_tokens import SoftToken


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.adapters.token.token.PAUSE_SECONDS", 0.0)


@pytest.fixture
def token(make_token: MakeToken) -> SoftToken:
    return make_token()
