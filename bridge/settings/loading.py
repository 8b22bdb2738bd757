"""Reads the settings file, and says in one sentence for each fault what was expected where."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import TomlConfigSettingsSource
from pydantic_settings.exceptions import SettingsError

from bridge.core.errors import BadInputError, Problem, UnavailableError
from bridge.settings.node import ENVIRONMENT, NodeSettings


def load_settings(path: Path) -> NodeSettings:
    """The settings in a TOML file.

    Raises:
        UnavailableError: the file cannot be read.
        BadInputError: it is not TOML, or a value is wrong; the sentence names the key.
    """
    try:
        path.read_bytes()
        values = TomlConfigSettingsSource(NodeSettings, path.resolve())()
    except OSError as error:
        raise UnavailableError("E_CONFIG_FILE", f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise BadInputError("E_CONFIG", f"{path} is not TOML: {error}") from None
    try:
        return NodeSettings.of_file(values, folder=path.resolve().parent)
    except ValidationError as error:
        faults = ((fault["loc"], fault["type"], fault["msg"]) for fault in error.errors())
        raise BadInputError.of(tuple(_problem(*fault) for fault in faults)) from None
    except SettingsError as error:
        raise BadInputError("E_CONFIG", _environment_sentence(str(error))) from None


def _environment_sentence(fault: str) -> str:
    """Which variable is no JSON; its value may be a secret and is not repeated."""
    field = re.search(r'field "([a-z_]+)"', fault)
    name = ENVIRONMENT + (field[1].upper() if field else "*")
    return f"the environment variable {name}: expected JSON; {name}__<KEY> replaces one setting of a table"


def _problem(location: tuple[int | str, ...], kind: str, message: str) -> Problem:
    path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    if kind == "missing":
        return Problem(path=path, found="nothing", expected="this setting to be there", code="E_CONFIG")
    if kind == "extra_forbidden":
        return Problem(path=path, found="something", expected="no such setting", code="E_CONFIG")
    return Problem(path=path, found="another value", expected=message.removeprefix("Input should be "), code="E_CONFIG")
