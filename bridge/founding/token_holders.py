"""A holder's key on a PKCS#11 token: the private file says where the key is, and holds none.

`FILE` is `{"v": 1, "token": {"module", "label", "pin_file"}, "key": LABEL}`, `FILE.pub` what it is for every other key:
whatever takes a holder's key file takes either kind. The token makes the key and keeps it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from securesystemslib.signer import Key, Signer

from bridge.adapters.token import signer_on_token
from bridge.adapters.trust.governance.holder_key import NAME_PATTERN, public_file, write_holder_key
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.core.wire import strict_json
from bridge.private_files import read_private
from bridge.settings.contact_points import TokenSettings

_BEGINNING: Final = b"{"


class _TokenFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    v: Annotated[int, Field(ge=1, le=1)]
    token: TokenSettings
    key: Annotated[str, Field(pattern=NAME_PATTERN)]


def make_token_key(path: Path, holder: str, token: TokenSettings) -> Key:
    """Makes a key on the token, labelled with its holder's name, and both files; answers the public key.

    Raises:
        BadInputError: the holder's name is none for one line (`E_HOLDER_KEY`).
        RefusedError: a file, or a key of this label, is there already (`E_KEY_EXISTS`).
        UnavailableError: the token cannot be used, or the files not be written.
    """
    try:
        file = _TokenFile(v=1, token=token, key=holder)
    except ValidationError:
        raise BadInputError("E_HOLDER_KEY", "--holder: expected a name of 1 to 80 characters on one line") from None
    for there in (path, public_file(path)):
        if there.exists():
            raise RefusedError("E_KEY_EXISTS", f"{there} is there already; nothing was changed")
    public = _signer(token, holder, make=True).public_key.keyval["public"]
    return write_holder_key(path, file.model_dump_json(indent=1).encode() + b"\n", holder=holder, public=str(public))


def is_on_token(path: Path) -> bool:
    """Whether a holder's key file says where on a token the key is; `UnavailableError` when it cannot be read."""
    return read_private(path).startswith(_BEGINNING)


def load_token_key(path: Path) -> Signer:
    """The signer whose key such a file names.

    Raises:
        UnavailableError: it is no such file (`E_KEY_FILE`), or the token cannot be used.
    """
    try:
        file = _TokenFile.model_validate(strict_json.parse_object(read_private(path)))
    except (strict_json.StrictJsonError, ValidationError):
        raise UnavailableError("E_KEY_FILE", f"{path} does not name a key on a token") from None
    return _signer(file.token, file.key)


def _signer(token: TokenSettings, key: str, *, make: bool = False) -> Signer:
    return signer_on_token(key, module=token.module, label=token.label, pin_file=token.pin_file, make=make)
