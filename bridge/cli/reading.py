"""A message as text for people: the handling marks first, then what is asked, then the facts."""

from __future__ import annotations

import json
from collections.abc import Mapping

_FIRST = ("tlp", "handling", "handling_note", "purpose", "legal_basis", "retain_until")
_HIDDEN = ("salt",)


def body_text(shown: Mapping[str, object]) -> str:
    """The text of what `inbox show` answers."""
    envelope, body = _members(shown["envelope"]), _members(shown["body"])
    lines = [
        f"{envelope['kind']}  {shown['id']}",
        f"from {envelope['from']}  status {envelope['status']}  urgency {envelope['urgency']}  sent {envelope['sent']}",
        "",
    ]
    ordered = [name for name in _FIRST if name in body] + [name for name in body if name not in (*_FIRST, *_HIDDEN)]
    lines += [f"{name}: {_value(body[name])}" for name in ordered]
    for receipt in _list(shown["receipts"]):
        lines.append("answered: " + ", ".join(f"{name} {value}" for name, value in _members(receipt).items()))
    return "\n".join(lines)


def _members(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
