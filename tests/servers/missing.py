"""What happens to a test whose server is not to be had: skipped on a developer's machine, failed in CI."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def server_is_missing(reason: object) -> NoReturn:
    """Ends the test that asks for the server."""
    if os.environ.get("CI"):
        pytest.fail(str(reason), pytrace=False)
    pytest.skip(str(reason))
