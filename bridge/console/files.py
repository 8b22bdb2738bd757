"""Our own style sheets, scripts, fonts and icons: read once, named by their digest, kept by browsers for a year."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_KEPT: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_PACKED: Final = frozenset({".css", ".js", ".svg"})
_IN_STYLES: Final = re.compile(rb'url\("(\.\./[a-z0-9/._-]+)"\)')
_WOFF2: Final = "font/woff2"  # not every system's list of kinds has it
NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    plain: bytes
    packed: bytes | None


class OwnFiles:
    """An ASGI application for the files below one folder; an address is `<digest>/<path>`."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, _File] = {}
        self.addresses: dict[str, str] = {}
        for path in sorted(folder.rglob("*"), key=lambda path: (path.suffix == ".css", path)):  # styles name the others
            if path.is_file():
                content, name = path.read_bytes(), path.relative_to(folder).as_posix()
                if path.suffix == ".css":
                    content = self._with_addresses(content, name)
                address = f"{hashlib.sha256(content).hexdigest()[:16]}/{name}"
                packed = gzip.compress(content, mtime=0) if path.suffix in _PACKED else None
                guessed = _WOFF2 if path.suffix == ".woff2" else mimetypes.guess_type(name)[0]
                self._files[address] = _File(guessed or "application/octet-stream", content, packed)
                self.addresses[name] = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with one file."""
        path = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
        found = self._files.get(path)
        if found is None:
            await Response(status_code=NOT_FOUND)(scope, receive, send)
            return
        headers = {**_KEPT, "Vary": "Accept-Encoding"}
        content = found.plain
        accepted = dict(scope["headers"]).get(b"accept-encoding", b"")
        if found.packed is not None and b"gzip" in accepted:
            content, headers["Content-Encoding"] = found.packed, "gzip"
        await Response(content, media_type=found.kind, headers=headers)(scope, receive, send)

    def _with_addresses(self, styles: bytes, name: str) -> bytes:
        """A style sheet whose relative addresses lead to files of this folder."""

        def address(found: re.Match[bytes]) -> bytes:
            named = posixpath.normpath(posixpath.join(posixpath.dirname(name), found[1].decode()))
            return f'url("/static/{self.addresses[named]}")'.encode()

        return _IN_STYLES.sub(address, styles)


def address_of(files: OwnFiles) -> Callable[[str], str]:
    """For templates: the address of a file by its name."""

    def address(name: str) -> str:
        return f"/static/{files.addresses[name]}"

    return address
