"""A route alert as CAP 1.2. It only writes: what is read goes through defusedxml."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree import ElementTree as ET

from bridge.core.countries import country_name
from bridge.core.ids import time_of
from bridge.core.messages import AlertFile
from bridge.core.times import format_time
from bridge.interchange.cap_table import (
    EVENT,
    EVENT_CODE,
    MSG_TYPES,
    NAMESPACE,
    PARAMETER,
    RESPONSES,
    STATUSES,
)

LONGEST_HEADLINE: Final = 160


@dataclass(frozen=True, slots=True)
class Sent:
    """What CAP says of the sending: who, when, under which id, and to whom, where we know the recipients."""

    sender: str
    identifier: str
    sent: datetime
    addresses: tuple[str, ...] = ()


def cap_of(alert: AlertFile, sent: Sent) -> bytes:
    """The CAP alert, UTF-8 with an XML declaration; elements in the order of the standard."""
    body: Mapping[str, Any] = alert.members
    root = ET.Element("alert", {"xmlns": NAMESPACE})
    _add(root, "identifier", sent.identifier)
    _add(root, "sender", sent.sender)
    _add(root, "sent", _time(sent.sent))
    _add(root, "status", STATUSES[alert.status])
    _add(root, "msgType", MSG_TYPES[alert.kind])
    _add(root, "scope", "Private" if sent.addresses else "Restricted")
    _add(root, "restriction", _restriction(body))
    if sent.addresses:
        _add(root, "addresses", " ".join(sent.addresses))
    if alert.supersedes is not None:
        _add(root, "references", f"{sent.sender},{alert.supersedes},{_time(time_of(alert.supersedes))}")
    narrative: Mapping[str, str] = body.get("narrative", {})
    languages = [body["language"], *(tag for tag in narrative if tag != body["language"])]
    for language in languages:
        _info(root, alert, language, sent, is_first=language == body["language"])
    ET.indent(root, " ")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _info(root: ET.Element, alert: AlertFile, language: str, sent: Sent, *, is_first: bool) -> None:
    """One language; the first one carries everything exactly."""
    body: Mapping[str, Any] = alert.members
    info = ET.SubElement(root, "info")
    _add(info, "language", language)
    _add(info, "category", "Security")
    _add(info, "event", EVENT)
    if "recommended_action" in body:
        _add(info, "responseType", RESPONSES[body["recommended_action"]])
    _add(info, "urgency", alert.urgency.capitalize())
    _add(info, "severity", str(body.get("severity", "unknown")).capitalize())
    _add(info, "certainty", str(body.get("certainty", "unknown")).capitalize())
    if is_first:
        _pair(info, "eventCode", EVENT_CODE, alert.kind)
    if "observed_from" in body:
        _add(info, "onset", body["observed_from"].replace("Z", "-00:00"))
    if alert.expires is not None:
        _add(info, "expires", _time(alert.expires))
    _add(info, "senderName", sent.sender)
    _add(info, "headline", body["title"][:LONGEST_HEADLINE])
    text = body.get("narrative", {}).get(language)
    if text:
        _add(info, "description", text)
    if "request" in body and is_first:
        _add(info, "instruction", body["request"])
    if is_first:
        _parameters(info, alert)
    for start, end in _stretches(body):
        area = ET.SubElement(info, "area")
        _add(area, "areaDesc", f"{country_name(start)} - {country_name(end)}")
        for country in dict.fromkeys((start, end)):
            _pair(area, "geocode", "ISO 3166-1", country)


def _parameters(info: ET.Element, alert: AlertFile) -> None:
    own = {"kind": alert.kind, "status": alert.status, "urgency": alert.urgency}
    own |= {"thread": alert.thread} if alert.thread is not None else {}
    own |= {"supersedes": alert.supersedes} if alert.supersedes is not None else {}
    own |= {"expires": format_time(alert.expires)} if alert.expires is not None else {}
    for name, value in (*own.items(), *((f"body.{name}", value) for name, value in alert.members.items())):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        _pair(info, "parameter", f"{PARAMETER}{name}", text)


def _restriction(body: Mapping[str, Any]) -> str:
    handling = " ".join(body.get("handling", ()))
    return f"TLP:{body['tlp']}; {handling + '; ' if handling else ''}purpose {body['purpose']}"


def _stretches(body: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    return [(leg["from"]["country"], leg["to"]["country"]) for leg in body.get("legs", ())]


def _pair(parent: ET.Element, element: str, name: str, value: str) -> None:
    pair = ET.SubElement(parent, element)
    _add(pair, "valueName", name)
    _add(pair, "value", value)


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _time(moment: datetime) -> str:
    """As CAP wants it: to the second, and UTC as -00:00."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") + "-00:00"
