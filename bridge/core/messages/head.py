"""What every body begins with: what may be done with the message, shown before its content; and what only travels.

A file leaves out what only the wire has: the salt of the commitment, the thread, and the references.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bridge.core.messages.fields import (
    FORM,
    TEXT_PATTERN,
    AnyCodes,
    CodeOf,
    Language,
    Maybe,
    MessageId,
    Reference,
    Salt,
    UtcTime,
)
from bridge.core.vocabulary import UNCLASSIFIED

MAX_REFERENCES = 16


class BodyHead(BaseModel):
    """The members that every body has."""

    model_config = FORM

    title: Annotated[
        str,
        Field(min_length=1, max_length=200, pattern=TEXT_PATTERN, description="One line that says what it is about."),
    ]
    language: Annotated[
        Language, Field(description="The language of the free text: ISO 639 with an optional script, e.g. sr-Latn.")
    ]
    tlp: Annotated[str, CodeOf("tlp"), Field(description="Traffic Light Protocol 2.0: who may see it.")]
    handling: Annotated[
        tuple[Annotated[str, CodeOf("handling")], ...],
        AnyCodes,
        Field(
            description="Europol handling codes: what it may be used for. H0: only to prevent and combat crime; "
            "H1: not in court without permission; H2: no onward disclosure without permission; "
            "H3: as handling_note says."
        ),
    ] = ()
    handling_note: Annotated[
        Maybe[Annotated[str, Field(max_length=500, pattern=TEXT_PATTERN)]],
        Field(description="The restriction that H3 stands for; required with H3."),
    ] = None
    classification: Annotated[
        Literal["unclassified"], Field(description="Classified information never travels here.")
    ] = UNCLASSIFIED
    purpose: Annotated[str, CodeOf("purpose"), Field(description="Why it is shared.")]
    legal_basis: Annotated[
        str,
        Field(min_length=1, max_length=300, pattern=TEXT_PATTERN, description="The law that lets the sender share it."),
    ]
    retain_until: Annotated[
        Maybe[UtcTime],
        Field(description="When every copy is erased: at most 180 days after sending. Filled in when a file has none."),
    ] = None


class Sealed(BodyHead):
    """The members that a body has only as it travels."""

    retain_until: Annotated[
        UtcTime, Field(description="When every copy is erased: later than the payload's sent, at most 180 days later.")
    ]
    salt: Annotated[
        Salt, Field(description="256 random bits, base64url: makes the signed digest of the body a commitment.")
    ]
    thread: Annotated[
        MessageId, Field(description="The id of the thread's first message; its own id when it begins one.")
    ]
    references: Annotated[
        tuple[Reference, ...],
        Field(strict=False, max_length=MAX_REFERENCES, description="Earlier messages that this one is about."),
    ]


class Superseding(BaseModel):
    """The member of a message that takes the place of an earlier one."""

    model_config = FORM

    supersedes: Annotated[Reference, Field(description="The message that this one takes the place of.")]
