"""The two judges of a document: the published schema, and the models with the rules of the domain."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from message_samples import Document, read

from bridge.core.errors import Problem
from bridge.core.messages import read_alert_file

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
FILE = "alert-file"


@cache
def rules() -> dict[str, dict[str, Any]]:
    """The rules list by id."""
    return {rule["id"]: rule for rule in json.loads((SCHEMAS / "rules.json").read_text())["rules"]}


@cache
def _validator(name: str) -> jsonschema_rs.Draft202012Validator:
    schema = json.loads((SCHEMAS / name / "1.0.json").read_text())
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def schema_accepts(name: str, document: Document | bytes) -> bool:
    """Whether the published schema accepts a document; bytes are parsed as leniently as JSON parsers do."""
    return bool(_validator(name).is_valid(json.loads(document) if isinstance(document, bytes) else document))


def schema_faults(name: str, document: Document | bytes) -> list[str]:
    """What the schema says, for a failing test to print."""
    value = json.loads(document) if isinstance(document, bytes) else document
    return [error.message[:200] for error in _validator(name).iter_errors(value)]


def problems(name: str, document: Document | bytes, *, status: str = "actual") -> tuple[Problem, ...]:
    """What the models and rules say; empty when nothing is wrong."""
    if isinstance(document, bytes):
        answer = read_alert_file(document)
    elif name == FILE:
        answer = read_alert_file(json.dumps(document).encode())
    else:
        answer = read(name, document, status=status)
    return answer if isinstance(answer, tuple) else ()
