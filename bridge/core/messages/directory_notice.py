"""The body of a `directory_notice`: that there is another membership list, what changed in it, and its new files.

What it says is for people. What it carries are files of the trust repository, packed: signed by governance, members and
secretariat, and verified by whoever takes them, whoever sent them. It names offices and keys, no person.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, Field

from bridge.core.ids import PREFIX_PATTERN
from bridge.core.list_files import TIMESTAMP_FILE, is_list_file
from bridge.core.messages.fields import FORM, MAX_INTEGER, CodeOf, Maybe, UtcTime
from bridge.core.messages.head import BodyHead
from bridge.core.wire import base64url, strict_json

WHO_PATTERN: Final = rf"^{PREFIX_PATTERN}(\.[a-z0-9-]{{1,32}})?$"
PACKED_PATTERN: Final = r"^[A-Za-z0-9_-]+$"
MAX_CHANGES: Final = 100
MAX_PACKED_CHARACTERS: Final = 118_000  # leaves what the rest of the body needs of 128 KiB
MAX_UNPACKED_BYTES: Final = 4 * 1024 * 1024
MAX_FILES: Final = 2000  # far more than fit, unless they are empty

Version = Annotated[int, Field(ge=1, le=MAX_INTEGER)]


class ListChange(BaseModel):
    """One thing that is another one in the new list."""

    model_config = FORM

    code: Annotated[str, CodeOf("directory_change"), Field(description="What changed.")]
    who: Annotated[
        Maybe[Annotated[str, Field(pattern=WHO_PATTERN)]],
        Field(description="The contact point or the member that it is about; none where it is the network."),
    ] = None


class ListFiles(BaseModel):
    """Files of the trust repository."""

    model_config = FORM

    since: Annotated[
        int,
        Field(
            ge=0,
            le=MAX_INTEGER,
            description="Whoever has the list of this version or a later one needs no others; 0: nobody does.",
        ),
    ]
    packed: Annotated[
        str,
        Field(
            pattern=PACKED_PATTERN,
            max_length=MAX_PACKED_CHARACTERS,
            description="Name in the mirror -> text, as JSON, compressed with zlib, in base64url: at most 2,000 files, "
            "the timestamp among them.",
        ),
    ]


class DirectoryNoticeBody(BodyHead):
    """There is another membership list."""

    version: Annotated[Version, Field(description="The version of the list.")]
    effective: Annotated[UtcTime, Field(description="From when it holds: when it was last confirmed.")]
    changes: Annotated[
        tuple[ListChange, ...],
        Field(strict=False, max_length=MAX_CHANGES, description="What changed since the version before."),
    ]
    files: Annotated[
        Maybe[ListFiles], Field(description="The new files; none where they are too large: then a mirror has them.")
    ] = None


def pack_files(files: Mapping[str, bytes]) -> str:
    """Name -> bytes as the text of `ListFiles.packed`; whether it is short enough is for the caller to look at."""
    texts = {name: data.decode("utf-8") for name, data in sorted(files.items())}
    return base64url.encode(zlib.compress(strict_json.encode(texts), 9))


def unpack_files(packed: str) -> Mapping[str, bytes]:
    """The files in `ListFiles.packed`.

    Raises:
        ValueError: it is not such a text, unpacks to more than `MAX_UNPACKED_BYTES` or `MAX_FILES`, has no timestamp,
            or has a file that no trust repository has.
    """
    inflating = zlib.decompressobj()
    try:
        data = inflating.decompress(base64url.decode(packed), MAX_UNPACKED_BYTES)
    except zlib.error:
        raise ValueError("is not compressed with zlib") from None
    if not inflating.eof or inflating.unused_data:
        raise ValueError(f"is not whole, or unpacks to more than {MAX_UNPACKED_BYTES} bytes")
    texts = strict_json.parse_object(data)
    if len(texts) > MAX_FILES:
        raise ValueError(f"has more than {MAX_FILES} files")
    if TIMESTAMP_FILE not in texts:
        raise ValueError(f"has no {TIMESTAMP_FILE}")
    unknown = next((name for name in texts if not is_list_file(name)), None)
    if unknown is not None:
        raise ValueError(f"{unknown[:100]!r} is no file of a trust repository")
    if not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("a file is no text")
    return {name: str(text).encode("utf-8") for name, text in texts.items()}
