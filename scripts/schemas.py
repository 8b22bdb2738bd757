"""Writes the JSON Schemas (2020-12) of messages and alert files from the models: `python scripts/schemas.py [--check]`.

The models are the source; nobody edits the files in schemas/. What the models' fields cannot say and JSON Schema can,
one member against another, stands in `RULES` here. What only the domain enforces is listed in schemas/rules.json.
With `--check` nothing is written, and the exit status is 1 when a file is not what the models say.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bridge.core.countries import KOSOVO_NOTE  # noqa: E402 - after the path
from bridge.core.messages import AcknowledgementBody, ReceiptControl, RouteAlertBody  # noqa: E402 - after the path
from bridge.core.messages.file_forms import FILE_BODIES, AlertFileForm  # noqa: E402 - after the path
from bridge.core.messages.head import BodyHead  # noqa: E402 - after the path
from bridge.core.messages.reading import MAJOR, MINOR  # noqa: E402 - after the path
from bridge.core.messages.route_alert import LABOUR, LegRoles  # noqa: E402 - after the path
from bridge.core.messages.rules import SUPERSEDING_KINDS  # noqa: E402 - after the path
from bridge.core.messages.sealed_forms import CONTROL_FORMS, SEALED_FORMS  # noqa: E402 - after the path
from bridge.core.vocabulary import CHILD_AGE_BANDS, CODE_LISTS  # noqa: E402 - after the path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
REFERENCE: Final = "#/$defs/{model}"
VERSION: Final = f"{MAJOR}.{MINOR}"
FILE_NAME: Final = f"{VERSION}.json"
ALERT_FILE: Final = "alert-file"
BEYOND: Final = (
    "Rules that only the reader enforces (times against the sending, legs that join up) are in schemas/rules.json."
)
TITLES: Final[Mapping[str, str]] = {
    "route_alert": "Route alert: the sealed body",
    "alert_update": "Alert update: the sealed body",
    "alert_cancel": "Alert cancellation: the sealed body",
    "acknowledgement": "Acknowledgement: the sealed body",
    "directory_notice": "Directory notice: the sealed body",
    "receipt": "Receipt: the control member",
    "heartbeat": "Heartbeat: the control member",
    "resend_request": "Resend request: the control member",
    ALERT_FILE: "Alert file",
}


def _where(name: str, value: Schema) -> Schema:
    """Matches an object whose member `name` is there and matches `value`; with its type, as strict readers want it."""
    return {"type": "object", "properties": {name: value}, "required": [name]}


def _at_least_one(name: str) -> Schema:
    return _where(name, {"type": "array", "minItems": 1})


def _kind_rules() -> list[Schema]:
    rules: list[Schema] = []
    for kind, body in FILE_BODIES.items():
        held = _where("body", {"$ref": REFERENCE.format(model=body.__name__)})
        supersedes = _where("supersedes", {})
        rule = supersedes if kind in SUPERSEDING_KINDS else {"not": supersedes}
        rules.append({"if": _where("kind", {"const": kind}), "then": {"allOf": [held, rule]}})
    return rules


RULES: Final[Mapping[type[BaseModel], list[Schema]]] = {
    BodyHead: [
        {
            "$comment": "H3 stands for a restriction, and the restriction is written out",
            "if": _where("handling", {"type": "array", "contains": {"const": "H3"}}),
            "then": _where("handling_note", {"type": "string", "minLength": 1}),
        }
    ],
    RouteAlertBody: [
        {
            "$comment": "at least one means, unless a victim is a child",
            "if": _where(
                "victims", {"type": "array", "contains": _where("age_band", {"enum": sorted(CHILD_AGE_BANDS)})}
            ),
            "else": _at_least_one("means"),
        },
        {
            "$comment": "forced labour has a sector",
            "if": _where("exploitation", {"type": "array", "contains": {"const": LABOUR}}),
            "then": _at_least_one("labour_sector"),
        },
    ],
    LegRoles: [
        {
            "$comment": "a leg never starts in its destination nor ends in its origin",
            "type": "object",
            "properties": {
                "from": {"type": "array", "items": {"not": {"const": "destination"}}},
                "to": {"type": "array", "items": {"not": {"const": "origin"}}},
            },
        }
    ],
    AcknowledgementBody: [
        {
            "$comment": "only a contact point that is not competent names who is",
            "if": _where("redirect_to", {}),
            "then": _where("level", {"const": "not_competent"}),
        }
    ],
    ReceiptControl: [
        {
            "$comment": "a code exactly when rejected",
            "if": _where("state", {"const": "rejected"}),
            "then": _where("code", {}),
            "else": {"not": _where("code", {})},
        }
    ],
    AlertFileForm: [
        {
            "$comment": "TLP CLEAR goes with status system only",
            "if": _where("body", _where("tlp", {"const": "CLEAR"})),
            "then": _where("status", {"const": "system"}),
        },
        *_kind_rules(),
    ],
}


_NOTES: Final[Mapping[str, Schema]] = {
    "country": {"description": f"ISO 3166-1 alpha-2, and XK, which reads Kosovo*. {KOSOVO_NOTE}"},
    "labour_sector": {"description": "ISIC Rev. 4 sections."},
    "transport_mode": {"description": "UN/CEFACT Recommendation 19, codes 0 1 2 3 4 8 9; on foot is not_applicable."},
}


class _Generator(GenerateJsonSchema):
    """Pydantic's generator without the titles it makes up from member names."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - its signature
        return False


def main() -> int:
    """Writes or checks the files; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when a file is out of date")
    parser.add_argument("--into", type=Path, default=ROOT, help="the directory with schemas/ in it; the repository's")
    given = parser.parse_args()
    check, into = given.check, given.into
    stale = {path: text for path, text in schema_files().items() if _read(into / path) != text}
    for path, text in stale.items():
        if not check:
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            (into / path).write_text(text, encoding="utf-8")
        print(f"{path}: {'out of date' if check else 'written'}")
    return 1 if check and stale else 0


def schema_files() -> dict[str, str]:
    """Path from the repository's root -> the file's text, for every schema."""
    forms: dict[str, type[BaseModel]] = {**SEALED_FORMS, **CONTROL_FORMS}
    files = {name: _schema(name, [form]) for name, form in forms.items()}
    files[ALERT_FILE] = _schema(ALERT_FILE, [AlertFileForm, *FILE_BODIES.values()])
    return {
        f"schemas/{name}/{FILE_NAME}": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in sorted(files.items())
    }


def _schema(name: str, models: list[type[BaseModel]]) -> Schema:
    """The schema of the first model; the others are there to be referred to."""
    generated = models_json_schema(
        [(model, "validation") for model in models], ref_template=REFERENCE, schema_generator=_Generator
    )
    definitions: dict[str, Schema] = generated[1]["$defs"]
    for model in {*models, *RULES}:
        if model.__name__ in definitions:
            _add_rules(definitions[model.__name__], model)
    root = definitions.pop(models[0].__name__)
    lists: dict[str, Schema] = {}
    root = {key: _tidied(value, lists) for key, value in root.items()}
    tidied = {key: _tidied(value, lists) for key, value in definitions.items()}
    description = f"{root.pop('description')} {BEYOND}"
    head = {"$schema": DIALECT, "$id": f"urn:ncp-bridge:{name}:{VERSION}", "title": TITLES[name]}
    root = {key: value for key, value in root.items() if key != "title"}
    return {**head, "description": description, **root} | {"$defs": dict(sorted((tidied | lists).items()))}


def _add_rules(definition: Schema, model: type[BaseModel]) -> None:
    rules = [rule for base in reversed(model.__mro__) for rule in RULES.get(base, [])]
    if rules:
        definition["allOf"] = rules


def _tidied(value: Any, lists: dict[str, Schema]) -> Any:  # noqa: ANN401 - JSON
    """Code lists moved to the definitions, each standing once; defaults of null gone: null is never accepted."""
    if isinstance(value, list):
        return [_tidied(item, lists) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: item for key, item in value.items() if (key, item) != ("default", None)}
    if "patternProperties" in value:
        value["additionalProperties"] = False
    if "enum" in value and value.get("title") in CODE_LISTS:
        name = value.pop("title")
        lists[name] = {
            "title": f"Code list {name}",
            **_NOTES.get(name, {}),
            "type": "string",
            "enum": value.pop("enum"),
        }
        del value["type"]
        return {"$ref": REFERENCE.format(model=name), **value}
    return {key: _tidied(item, lists) for key, item in value.items()}


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
