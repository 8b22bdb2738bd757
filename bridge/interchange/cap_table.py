"""How a route alert goes into CAP 1.2 and comes back: what carries each member, and what becomes of each element.

What has no element in CAP travels as a parameter whose name begins with `ncp-bridge:`, as JSON; who does not know the
parameters reads headline, description, times and countries. Source: OASIS Common Alerting Protocol 1.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
PARAMETER: Final = "ncp-bridge:"
EVENT: Final = "Trafficking in human beings: a route"
EVENT_CODE: Final = "ncp-bridge:kind"

MSG_TYPES: Final = {"route_alert": "Alert", "alert_update": "Update", "alert_cancel": "Cancel"}
STATUSES: Final = {"actual": "Actual", "exercise": "Exercise", "system": "System", "test": "Test", "draft": "Draft"}
RESPONSES: Final = {"monitor": "Monitor", "check": "Assess", "protect": "Execute", "report": "Execute", "none": "None"}

# Body member -> the CAP element that says the same, beside the parameter that carries it exactly.
ELEMENTS: Final[Mapping[str, str]] = {
    "title": "info.headline",
    "language": "info.language",
    "narrative": "info.description",
    "severity": "info.severity",
    "certainty": "info.certainty",
    "observed_from": "info.onset",
    "request": "info.instruction",
    "recommended_action": "info.responseType",
    "tlp": "restriction",
    "handling": "restriction",
    "legs": "info.area",
}
# CAP element -> what becomes of it on the way in, where no parameter of ours stands behind it.
LOST_ON_THE_WAY_IN: Final[Mapping[str, str]] = {
    "source": "an alert names no operator or device",
    "note": "an alert has no remark beside its text",
    "incidents": "alerts refer by thread",
    "addresses": "recipients follow from the route",
    "code": "codes of other systems",
    "category": "every alert is one of security",
    "eventCode": "codes of other systems",
    "audience": "handling codes say who may see it",
    "effective": "an alert holds from its sending",
    "senderName": "the membership list has the sender's name",
    "web": "nothing outside is referred to",
    "contact": "the membership list has the duty office",
    "resource": "nothing but text travels",
    "polygon": "no precise place travels",
    "circle": "no precise place travels",
    "altitude": "no precise place travels",
    "ceiling": "no precise place travels",
}
