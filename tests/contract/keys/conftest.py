"""A contact point's private keys in memory, in files, on a token, and on their way from files to a token.

What the port promises must hold for each.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.adapters.jose.key_files import FileKeys
from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.adapters.token.keys import TokenKeys
from bridge.adapters.token.token import Token
from bridge.app.keys.two_places import KeysInTwoPlaces
from bridge.ports.keys import KeyStore

OWNER = "at.ncp"


@pytest.fixture(
    params=["memory", "files", *(pytest.param(name, marks=pytest.mark.token) for name in ("token", "moving"))]
)
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> KeyStore:
    """Empty to begin with."""
    if request.param == "memory":
        return PrivateKeys({})
    files = FileKeys(tmp_path / OWNER, OWNER, machine_secret=b"\x07" * 32)
    if request.param == "files":
        return files
    token = TokenKeys(Token(request.getfixturevalue("make_token")().place), f"{OWNER}#")
    return token if request.param == "token" else KeysInTwoPlaces(new=token, old=files)
