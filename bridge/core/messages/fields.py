"""The fields that bodies, alert files and control messages are made of.

Rules:
1. Strict: what JSON parsed to is what must stand there; nothing is converted, except a list into a tuple.
2. A code outside its list is refused, unless the reader says the message is of a newer minor version than ours: then
   the code is kept as it came (wire-format: Payload).
3. Patterns and limits stand on the fields, so that the published schemas say the same.

It does not hold one field against another: that is the work of `rules`.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from bridge.core.ids import CONTACT_POINT_PATTERN, MESSAGE_ID_PATTERN
from bridge.core.vocabulary import CODE_LISTS

FORM: Final = ConfigDict(
    frozen=True, strict=True, extra="forbid", validate_by_name=False, validate_by_alias=True, serialize_by_alias=True
)
NEWER: Final = {"newer": True}
"""The validation context of a message whose schema has a higher minor version than ours."""

LANGUAGE_PATTERN: Final = r"^[a-z]{2,3}(-[A-Z][a-z]{3})?$"
TIME_PATTERN: Final = (
    r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{3})?Z$"
)
# No control characters (Unicode category Cc) but line feed and tab.
TEXT_PATTERN: Final = r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$"
# Canonical base64url of 32 bytes: the last of the 43 characters carries four bits, the two loose ones are zero.
DIGEST_PATTERN: Final = r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"
REFUSAL_CODE_PATTERN: Final = r"^E_[A-Z_]{1,40}$"
# What a code of a list that grew after our version may look like.
NEWER_CODE_PATTERN: Final = r"^[A-Za-z0-9_+.-]{1,64}$"
NEWER_COUNTRY_PATTERN: Final = r"^[A-Z]{2}$"
MAX_INTEGER: Final = 2**53 - 1

EXPECTED_TIME: Final = "a UTC time like 2026-11-23T18:40:01Z"
_TIME: Final = re.compile(TIME_PATTERN.removesuffix("$") + r"\Z")


class CodeOf:
    """Marks a text as a code of one list of the vocabulary."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.codes = CODE_LISTS[name]

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """The list itself, decided without a call into Python; the second door is for newer versions only."""
        country = self.name == "country"
        newer = core_schema.with_info_before_validator_function(
            _only_when_newer, core_schema.str_schema(pattern=NEWER_COUNTRY_PATTERN if country else NEWER_CODE_PATTERN)
        )
        return core_schema.union_schema(
            [core_schema.literal_schema(list(self.codes)), newer],
            mode="left_to_right",
            custom_error_type="E_FORMAT" if country else "E_CODE",
            custom_error_message="not a code of the list",
            custom_error_context={"list": self.name},
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The list as an enumeration, so that an integrator reads every code."""
        return {"title": self.name, "type": "string", "enum": list(self.codes)}


class NeverNull:
    """Marks a member that may be missing but never null: JSON has one way to say nothing here."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of what stands there when something does; `None` is only the default."""
        schema = handler(source)
        inner: CoreSchema = schema["schema"] if schema["type"] == "nullable" else schema
        return inner


_T = TypeVar("_T")
Maybe = Annotated[_T | None, NeverNull()]


def _only_when_newer(value: object, info: core_schema.ValidationInfo) -> object:
    if info.context is not NEWER:
        message = "not a code of the list"
        raise ValueError(message)
    return value


def parse_utc(value: object) -> datetime | None:
    """The moment of a time as bodies write it (seconds, or milliseconds, in UTC); `None` for anything else."""
    if not isinstance(value, str) or _TIME.match(value) is None:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:  # a day that the month has not
        return None


def _time(value: object) -> datetime:
    moment = parse_utc(value)
    if moment is None:
        code = "E_FORMAT" if isinstance(value, str) else "E_TYPE"
        raise PydanticCustomError(code, "not a time of this form", {"expected": EXPECTED_TIME})
    return moment


UtcTime = Annotated[
    datetime,
    BeforeValidator(_time),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": TIME_PATTERN}),
]
Digest = Annotated[str, Field(pattern=DIGEST_PATTERN)]
Salt = Annotated[str, Field(pattern=DIGEST_PATTERN)]
MessageId = Annotated[str, Field(pattern=MESSAGE_ID_PATTERN)]
ContactPointId = Annotated[str, Field(pattern=CONTACT_POINT_PATTERN)]
Language = Annotated[str, Field(pattern=LANGUAGE_PATTERN)]
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Epoch = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
RefusalCode = Annotated[str, Field(pattern=REFUSAL_CODE_PATTERN)]
Country = Annotated[str, CodeOf("country")]
Place = Annotated[str, Field(min_length=2, max_length=80, pattern=TEXT_PATTERN)]
LongText = Annotated[str, Field(max_length=2000, pattern=TEXT_PATTERN)]

# A list from JSON becomes a tuple; what stands in it stays strict. `rules` refuses a code that stands twice.
AnyCodes = Field(strict=False, json_schema_extra={"uniqueItems": True})
SomeCodes = Field(strict=False, min_length=1, json_schema_extra={"uniqueItems": True})


class Reference(BaseModel):
    """Names one earlier message exactly: who sent it, its id, and the digest of its payload's bytes."""

    model_config = FORM

    sender: Annotated[ContactPointId, Field(alias="from", description="The contact point that sent it.")]
    id: Annotated[MessageId, Field(description="Its message id.")]
    payload_sha256: Annotated[Digest, Field(description="The SHA-256 of its payload's bytes, base64url.")]
