"""Files with a key or a password in them: their owner's alone, or they are not used.

One rule for all of them, so that a secret is refused wherever others of this host could read it. It does not protect
against whoever has root here. What was written is on the disk, its name too, before anybody is told so: the public part
of a key may be published in the next moment.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from bridge.core.errors import UnavailableError

OWNER_ONLY: Final = 0o600
FOLDER_OF_OWNER: Final = 0o700
OTHERS: Final = 0o077


def write_private(path: Path, data: bytes) -> None:
    """Writes a new file that only its owner can read, whole or not at all; `FileExistsError` where there is one."""
    _make_folder(path.parent)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".") as file:  # 0600 from its first moment
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        os.link(file.name, path)
    sync_folder(path.parent)


def replace_private(path: Path, data: bytes) -> None:
    """Writes a file that only its owner can read, in the place of what was there, in one step."""
    _make_folder(path.parent)
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=".")  # 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    Path(scratch).replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Names in a folder outlive a power cut only when the folder is written, too."""
    with contextlib.suppress(PermissionError):  # not ours to read
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_private(path: Path, *, code: str = "E_KEY_FILE") -> bytes:
    """The bytes of a private file.

    Raises:
        UnavailableError: with `code`, when it is missing, not a regular file, or others can read it.
    """
    try:
        # Not blocking: a pipe must not stop the reader.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise UnavailableError(code, f"{path} is not a regular file")
            if stat.S_IMODE(mode) & OTHERS:
                raise UnavailableError(code, f"{path} can be read by others; expected mode 0600")
            return file.read()
    except OSError as error:
        raise UnavailableError(code, f"{path}: {error.strerror}") from None


def read_private_line(path: Path) -> str:
    """The one line of text in a private file, without the white space around it.

    Raises:
        UnavailableError: `E_SECRET_FILE`, when it cannot be read, others can read it, or it is not one line of UTF-8.
    """
    try:
        text = read_private(path, code="E_SECRET_FILE").decode("utf-8").strip()
    except UnicodeDecodeError:
        raise UnavailableError("E_SECRET_FILE", f"{path} is not UTF-8 text; expected one line") from None
    if len(text.splitlines()) != 1:
        found = "several lines" if text else "nothing"
        raise UnavailableError("E_SECRET_FILE", f"{path} holds {found}; expected one line")
    return text


def _make_folder(folder: Path) -> None:
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(mode=FOLDER_OF_OWNER, parents=True, exist_ok=True)
    for one in new:
        sync_folder(one.parent)
