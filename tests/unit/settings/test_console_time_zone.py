"""The zone of the console's local times: one of the IANA database, or none beside UTC."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.settings.console import ConsoleSettings


def test_local_times_are_those_of_the_zone_that_is_named() -> None:
    assert ConsoleSettings(time_zone="Europe/Belgrade").time_zone == "Europe/Belgrade"
    assert ConsoleSettings().time_zone == "UTC"


@pytest.mark.parametrize("name", ["", "Belgrade", "Europe", "../Europe/Belgrade", "CEST"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="like Europe/Belgrade"):
        ConsoleSettings(time_zone=name)
