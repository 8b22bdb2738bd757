"""Publications as the bytes that go out on a channel, and how many of them in one socket write.

The properties are those of the wire format (AMQP); nothing else is sent, no headers, no `user_id`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pamqp.frame
from aiormq.channel import Channel
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from bridge.ports.broker import Publication

CONTENT_TYPE: Final = "application/jose+json"
PERSISTENT: Final = 2
WRITE_MESSAGES: Final = 25
WRITE_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Parcel:
    """One publish, ready to be written."""

    row_id: str
    frames_bytes: bytes


def marshal(publication: Publication, channel: Channel) -> Parcel | None:
    """The frames of one publish; `None` where a name or property is too long or too strange for AMQP."""
    try:
        frames = [
            pamqp.frame.marshal(frame, channel.number) for frame in _frames(publication, channel.max_content_size)
        ]
    except (TypeError, ValueError, struct.error):  # what the library raises for it
        return None
    return Parcel(publication.row_id, b"".join(frames))


def portions(parcels: Sequence[Parcel]) -> Iterator[list[Parcel]]:
    """What goes out in one write: bounded in number and, for large messages, in bytes."""
    portion: list[Parcel] = []
    size = 0
    for parcel in parcels:
        if portion and (len(portion) == WRITE_MESSAGES or size + len(parcel.frames_bytes) > WRITE_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(parcel)
        size += len(parcel.frames_bytes)
    if portion:
        yield portion


def _frames(publication: Publication, max_content_size: int) -> Iterator[Basic.Publish | ContentHeader | ContentBody]:
    wire_bytes = publication.wire_bytes
    yield Basic.Publish(exchange=publication.exchange, routing_key=publication.routing_key, mandatory=True)
    yield ContentHeader(
        body_size=len(wire_bytes),
        properties=Basic.Properties(
            content_type=CONTENT_TYPE,
            delivery_mode=PERSISTENT,
            correlation_id=publication.message_id,
            message_id=publication.row_id,
            message_type=publication.kind,
            app_id=publication.sender,
            timestamp=publication.sent,
        ),
    )
    for start in range(0, len(wire_bytes), max_content_size):
        yield ContentBody(wire_bytes[start : start + max_content_size])
