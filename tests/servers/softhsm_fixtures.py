"""A fixture with SoftHSM2: tokens as files in a folder of the test session's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from servers.missing import server_is_missing

from bridge.core.errors import UnavailableError
from broker.soft_tokens import SoftToken, SoftTokens, soft_tokens

MakeToken = Callable[[], SoftToken]

_numbers = count(1)


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftTokens]:
    """SoftHSM2 with a folder for tokens."""
    try:
        with soft_tokens(tmp_path_factory.mktemp("softhsm")) as tokens:
            yield tokens
    except UnavailableError as error:
        server_is_missing(error)


@pytest.fixture
def make_token(softhsm: SoftTokens) -> MakeToken:
    """Makes a token without keys, under a label that no other has."""
    return lambda: softhsm.make(f"test {next(_numbers)}")
