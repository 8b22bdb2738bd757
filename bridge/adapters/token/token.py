"""One token, signed in to once and again whenever it was lost.

Rules:
1. One thread at a time is in a module: it is initialised without locks of its own, and a session does one thing.
2. What fails inside the module counts as a loss: it is initialised anew, the token signed in to, and the work done once
   more. When that fails too it is `E_TOKEN`, and nobody tries for `PAUSE_SECONDS`.
3. The PIN is read when it is needed and kept nowhere. A wrong one ends the attempt (see `pins`).

Calls are not asynchronous: one takes as long as the token takes, and a token that never answers stops its process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import pkcs11
from pkcs11.exceptions import (
    MultipleTokensReturned,
    NoSuchToken,
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
)

from bridge.adapters.token.pins import PinFile
from bridge.core.errors import UnavailableError

CODE: Final = "E_TOKEN"
PAUSE_SECONDS: Final = 2.0
_WRONG_PIN: Final = (PinExpired, PinIncorrect, PinInvalid, PinLenRange, PinLocked)

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """Which token: the PKCS#11 module (a shared library), the token's label, the file with its PIN."""

    module: Path
    label: str
    pin_file: Path


class Token:
    """A token as this process uses it; nothing is opened before it is used.

    Attributes:
        label: the token's.
        is_new: the session that `work` was given was opened for it.
    """

    def __init__(self, place: TokenPlace) -> None:
        self.label = place.label
        self.is_new = False
        self._module = _module_at(place.module)
        self._pin_file = PinFile(place.pin_file)
        self._session: pkcs11.Session | None = None
        self._generation = 0
        self._failure: UnavailableError | None = None
        self._failed_at = 0.0

    def use(self, work: Callable[[pkcs11.Session], Answer]) -> Answer:
        """What `work` answers for the open session; it may be called twice.

        Raises:
            UnavailableError: `E_TOKEN`, the token cannot be reached; `E_TOKEN_PIN`, it refuses its PIN;
                `E_SECRET_FILE`, there is no PIN to be read.
        """
        with self._module.lock:
            if self._failure is not None and time.monotonic() - self._failed_at < PAUSE_SECONDS:
                raise UnavailableError(self._failure.code, self._failure.message)
            try:
                return work(self._open_session())
            except PKCS11Error:
                self._module.restart()
            try:
                return work(self._open_session())
            except PKCS11Error as error:
                raise self._failed(UnavailableError(CODE, f"token {self.label}: {_reason(error)}")) from None

    def _open_session(self) -> pkcs11.Session:
        self.is_new = self._session is None or self._generation != self._module.generation
        if self._session is None or self.is_new:
            try:
                self._session = self._sign_in()
            except UnavailableError as error:
                raise self._failed(error) from None
            self._generation, self._failure = self._module.generation, None
        return self._session

    def _sign_in(self) -> pkcs11.Session:
        pin = self._pin_file.read()
        token = self._module.token(self.label)
        try:
            return token.open(user_pin=pin)
        except UserAlreadyLoggedIn:  # a process signs in to a token, not each of its sessions
            return token.open()
        except _WRONG_PIN as error:
            raise self._pin_file.refuse(type(error).__name__) from None

    def _failed(self, error: UnavailableError) -> UnavailableError:
        self._session, self._failure, self._failed_at = None, error, time.monotonic()
        return error


class _Module:
    """A PKCS#11 module as this process has loaded it; whoever calls into it holds `lock`."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.Lock()
        self.generation = 0  # sessions of an earlier one are void
        self._path = path

    def token(self, label: str) -> pkcs11.Token:
        """The token of this label; loads and initialises the module where that is not done."""
        return pkcs11.lib(str(self._path)).get_token(token_label=label)

    def restart(self) -> None:
        """Ends every session; `token` initialises the module anew."""
        self.generation += 1
        with suppress(PKCS11Error):  # what is broken need not end well
            pkcs11.lib(str(self._path)).finalize()


@cache  # a module is a process's, as is its lock
def _module_at(path: Path) -> _Module:
    return _Module(path)


def _reason(error: PKCS11Error) -> str:
    if isinstance(error, NoSuchToken):
        return "no token with this label is there"
    if isinstance(error, MultipleTokensReturned):
        return "several tokens have this label; expected one"
    return f"{type(error).__name__} {error}".strip()
