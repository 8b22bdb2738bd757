"""CAP 1.2 as an alert file: what our parameters carry comes back exactly, what an alert cannot hold is named.

Nothing is guessed. A CAP alert without our parameters lacks what an alert must say (legs, forms of exploitation), and
is refused with their names: a person writes those. Entities, references to elsewhere and document types are refused
before anything is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from bridge.core.errors import BadInputError
from bridge.core.vocabulary import ALERT_CANCEL
from bridge.core.wire import strict_json
from bridge.interchange.cap_table import LOST_ON_THE_WAY_IN, MSG_TYPES, NAMESPACE, PARAMETER

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MOST_BYTES: Final = 1024 * 1024
MOST_ELEMENTS: Final = 5000
CODE: Final = "E_CAP"
_SPACE: Final = f"{{{NAMESPACE}}}"
_NEEDED: Final = ("kind", "status", "urgency", "body.title", "body.language")
_NEEDED_OF_ROUTES: Final = ("body.legs", "body.exploitation")


@dataclass(frozen=True, slots=True)
class Imported:
    """An alert file's members, and the elements that it has no place for, each with why."""

    members: Mapping[str, Any]
    losses: Sequence[tuple[str, str]]


def read_cap(data: bytes) -> Imported:
    """The alert file that a CAP alert holds.

    Raises:
        BadInputError: `E_CAP`; the sentence names the element.
    """
    root = _parse(data)
    found = list(root.iter())
    if len(found) > MOST_ELEMENTS:
        raise BadInputError(CODE, f"alert: found {len(found)} elements, expected at most {MOST_ELEMENTS}")
    for element in found:
        if not str(element.tag).startswith(_SPACE):
            raise BadInputError(CODE, f"{_name(element)}: expected only elements of CAP 1.2 ({NAMESPACE})")
    parameters = _parameters(root)
    members = {name: value for name, value in parameters.items() if not name.startswith("body.")}
    members["body"] = {name.removeprefix("body."): v for name, v in parameters.items() if name.startswith("body.")}
    kind = _text(root, "msgType")
    if MSG_TYPES.get(str(members["kind"])) != kind:
        raise BadInputError(CODE, f"msgType: found {kind!r}, expected the one of {members['kind']!r}")
    return Imported(members, _losses(found))


def _parse(data: bytes) -> Element:
    if len(data) > MOST_BYTES:
        raise BadInputError(CODE, f"found {len(data)} bytes, expected at most {MOST_BYTES}")
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException:
        raise BadInputError(CODE, "found a document type or an entity; expected neither") from None
    except (ParseError, ValueError, RecursionError) as error:
        raise BadInputError(CODE, f"found no XML that can be read: {error}") from None
    if root.tag != f"{_SPACE}alert":
        raise BadInputError(CODE, f"{_name(root)}: expected the element alert of CAP 1.2 ({NAMESPACE})")
    return root


def _parameters(root: Element) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for parameter in root.iter(f"{_SPACE}parameter"):
        name, text = _text(parameter, "valueName"), _text(parameter, "value")
        if not name.startswith(PARAMETER):
            continue
        if name in values:
            raise BadInputError(CODE, f"parameter: {name[:80]} stands twice")
        try:
            values[name] = strict_json.parse(text.encode())
        except strict_json.StrictJsonError as error:
            raise BadInputError(CODE, f"parameter: {name[:80]}: {error.for_author}") from None
    is_cancel = values.get(f"{PARAMETER}kind") == ALERT_CANCEL
    needed = _NEEDED if is_cancel else (*_NEEDED, *_NEEDED_OF_ROUTES)
    missing = [name for name in needed if PARAMETER + name not in values]
    if missing:
        sentence = "info: a CAP alert of another system lacks what an alert must say; write it in an alert file: "
        raise BadInputError(CODE, sentence + ", ".join(missing))
    return {name.removeprefix(PARAMETER): value for name, value in values.items()}


def _losses(found: Sequence[Element]) -> Sequence[tuple[str, str]]:
    names = dict.fromkeys(_name(element) for element in found)
    kept = {"category", "senderName", "eventCode"}  # ours, made from what the alert file has
    return [(name, LOST_ON_THE_WAY_IN[name]) for name in names if name in LOST_ON_THE_WAY_IN.keys() - kept]


def _text(parent: Element, name: str) -> str:
    found = parent.find(_SPACE + name)
    return (found.text or "").strip() if found is not None else ""


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2][:80]
