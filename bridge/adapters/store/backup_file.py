"""A backup as one file: a tar archive with `manifest.json`, the database, and `SHA256SUMS` over both.

It appears under its name only when it is whole and on the disk, readable by its owner only, and never over another
file. Reading it proves that every byte is as it was written; it does not prove who wrote it. No key is in it.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import secrets
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.core.errors import RefusedError, UnavailableError
from bridge.private_files import OWNER_ONLY, sync_folder

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
MEMBERS: Final = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}
CHUNK_BYTES: Final = 1 << 20
MOST_MANIFEST_BYTES: Final = 1 << 20

Progress = Callable[[str, int, int], None]  # what is done, how much of it, of how much


class Manifest(BaseModel):
    """What is in a backup; readable by people, and complete without the database.

    Attributes:
        made_at: RFC 3339, when the copy was begun.
        network: `None` when the node had no membership list.
        database: which database it can be restored to.
        revision: of the schema.
        tables_in: PostgreSQL's schema that held the tables.
        unsent: outbox rows that no broker had confirmed.
        database_bytes: the size of the database in the archive.
        database_sha256: its digest in hex.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    format: Literal["ncp-bridge-backup"] = "ncp-bridge-backup"
    version: Literal[1] = 1
    made_at: str
    country: str
    network: str | None
    contact_points: list[str]
    database: Literal["sqlite", "postgresql"]
    revision: str
    tables_in: str | None = None
    epoch: int
    messages: int
    inbox: int
    unsent: int
    database_bytes: int = Field(ge=0)
    database_sha256: str


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was read from its first to its last byte. `sha256` is that of the whole file, in hex."""

    file: Path
    manifest: Manifest
    size: int
    sha256: str


@contextmanager
def room_beside(file: Path, *, ending: str) -> Iterator[Path]:
    """A private file beside `file` for as long as it is needed.

    Raises:
        UnavailableError: `E_FILE`, it cannot be made.
    """
    scratch = file.with_name(f".{file.name}.{secrets.token_hex(4)}.{ending}")
    try:
        os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY))
    except OSError as error:
        raise UnavailableError("E_FILE", f"{file.parent}: {error.strerror}") from None
    try:
        yield scratch
    finally:
        scratch.unlink(missing_ok=True)


def refuse_existing(file: Path) -> None:
    """Raises `RefusedError` (`E_BACKUP_EXISTS`) when there is something under this name."""
    if os.path.lexists(file):
        raise RefusedError("E_BACKUP_EXISTS", f"{file} is there already; expected a new name")


def digest_of(path: Path) -> tuple[int, str]:
    """Size and SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        reader = _HashingReader(file)
        while reader.read(CHUNK_BYTES):
            pass
    return reader.size, reader.digest.hexdigest()


def write_backup(file: Path, manifest: Manifest, database: Path) -> None:
    """Writes the archive; whatever fails, nothing is there under the name of `file`.

    Raises:
        RefusedError: `E_BACKUP_EXISTS`.
        UnavailableError: `E_FILE`, it cannot be written.
    """
    manifest_bytes = (manifest.model_dump_json(indent=2) + "\n").encode()
    sums = _sums(manifest_bytes, manifest.database, manifest.database_sha256)
    with room_beside(file, ending="partial") as scratch:
        try:
            with scratch.open("r+b") as output:
                with tarfile.open(fileobj=output, mode="w", format=tarfile.GNU_FORMAT) as archive:
                    archive.addfile(_entry(MANIFEST, len(manifest_bytes)), io.BytesIO(manifest_bytes))
                    with database.open("rb") as source:
                        archive.addfile(_entry(MEMBERS[manifest.database], manifest.database_bytes), source)
                    archive.addfile(_entry(SUMS, len(sums)), io.BytesIO(sums))
                output.flush()
                os.fsync(output.fileno())
            _publish(scratch, file)
        except OSError as error:
            raise UnavailableError("E_FILE", f"{file} cannot be written: {error.strerror or error}") from None


def read_backup(file: Path, *, database_to: Path | None = None) -> Backup:
    """Reads the whole archive and proves it; writes the database to the existing file `database_to`, if given.

    Raises:
        RefusedError: `E_BACKUP_DAMAGED`, it is not as it was written, or no backup at all.
        UnavailableError: `E_FILE`, it cannot be read, or the database cannot be written.
    """
    try:
        with file.open("rb") as source, _sink(database_to) as sink:
            reader = _HashingReader(source)
            manifest = _read_members(reader, sink)
            return Backup(file, manifest, reader.size, reader.digest.hexdigest())
    except tarfile.TarError as error:
        raise _damaged(f"it is no whole archive ({error})", file) from None
    except _DamagedError as error:
        raise _damaged(error.message, file) from None
    except OSError as error:
        raise UnavailableError("E_FILE", f"{error.filename or file}: {error.strerror or error}") from None


class _DamagedError(RefusedError):
    """What is wrong, before the file's name is known."""


@dataclass
class _HashingReader:
    """Reads a file and digests what it reads."""

    source: BinaryIO
    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)  # the standard library's own name for the type

    def read(self, size: int) -> bytes:
        data = self.source.read(size)
        self.size += len(data)
        self.digest.update(data)
        return data

    def content(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes in parts."""
        while size > 0:
            data = self.read(min(size, CHUNK_BYTES))
            if not data:
                raise _damaged("it ends too early")
            size -= len(data)
            yield data

    def whole(self, size: int) -> bytes:
        return b"".join(self.content(size))

    def skip_nothing(self, size: int) -> None:
        """The next `size` bytes, which are all zero."""
        if any(any(part) for part in self.content(size)):
            raise _damaged("there is something between its parts")


def _read_members(reader: _HashingReader, sink: BinaryIO | None) -> Manifest:
    """Reads the one form that `write_backup` writes: whatever differs in a single bit is damaged."""
    manifest_bytes = b"".join(_member(reader, MANIFEST, most=MOST_MANIFEST_BYTES))
    try:
        manifest = Manifest.model_validate_json(manifest_bytes)
    except ValidationError:
        raise _damaged(f"its {MANIFEST} is not one that this program reads") from None
    member, size, digest = MEMBERS[manifest.database], 0, hashlib.sha256()
    for part in _member(reader, member):
        size += len(part)
        digest.update(part)
        if sink is not None:
            sink.write(part)
    sums = _sums(manifest_bytes, manifest.database, digest.hexdigest())
    found = b"".join(_member(reader, SUMS, most=MOST_MANIFEST_BYTES))
    if (size, digest.hexdigest(), found) != (manifest.database_bytes, manifest.database_sha256, sums):
        raise _damaged("its contents do not have the SHA-256 that they were written with")
    end = reader.size + 2 * tarfile.BLOCKSIZE
    reader.skip_nothing(2 * tarfile.BLOCKSIZE + -end % tarfile.RECORDSIZE)
    if reader.read(1):
        raise _damaged("there is something behind its end")
    return manifest


def _member(reader: _HashingReader, name: str, *, most: int | None = None) -> Iterator[bytes]:
    """The content of the next member, which must be this one, in parts."""
    header = reader.whole(tarfile.BLOCKSIZE)
    size = tarfile.TarInfo.frombuf(header, tarfile.ENCODING, "strict").size
    if header != _entry(name, size).tobuf(tarfile.GNU_FORMAT) or (most is not None and size > most):
        raise _damaged(f"{name} is not where it belongs")
    yield from reader.content(size)
    reader.skip_nothing(-size % tarfile.BLOCKSIZE)


def _sums(manifest_bytes: bytes, database: str, sha256: str) -> bytes:
    """As `sha256sum --check` reads it."""
    return f"{hashlib.sha256(manifest_bytes).hexdigest()}  {MANIFEST}\n{sha256}  {MEMBERS[database]}\n".encode()


@contextmanager
def _sink(path: Path | None) -> Iterator[BinaryIO | None]:
    if path is None:
        yield None
        return
    with path.open("r+b") as sink:
        yield sink
        sink.flush()
        os.fsync(sink.fileno())


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, OWNER_ONLY
    return entry


def _publish(scratch: Path, file: Path) -> None:
    """Gives the finished file its name, unless somebody else has taken it meanwhile."""
    try:
        os.link(scratch, file)
    except FileExistsError:
        refuse_existing(file)
        raise
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.ENOSYS}:
            raise
        refuse_existing(file)  # a file system without hard links, a memory stick
        scratch.rename(file)
    sync_folder(file.parent)


def _damaged(reason: str, file: Path | None = None) -> RefusedError:
    if file is None:
        return _DamagedError("E_BACKUP_DAMAGED", reason)
    return RefusedError("E_BACKUP_DAMAGED", f"{file} is damaged or no backup of this program: {reason}")
