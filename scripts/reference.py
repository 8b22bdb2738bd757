"""Writes the HTML reference of the contract: `python scripts/reference.py [--check]`.

It comes from schemas/: the schemas, their samples, rules.json and asyncapi.yaml; nobody edits the pages in
bridge/api/static/reference. With `--check` nothing is written, and the exit status is 1 when a page is not what the
contract says.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

ROOT: Final = Path(__file__).resolve().parent.parent
SCHEMAS: Final = ROOT / "schemas"
PAGES: Final = ROOT / "scripts" / "reference_pages"
INTO: Final = ROOT / "bridge" / "api" / "static" / "reference"
SHEET: Final = "reference.css"
LIST: Final = "Code list "  # how the schemas entitle one
FRAME: Final = ("envelope", "sealed", "payload")  # what every message has around it
FILES: Final = ("alert-file", "membership-export")
# Said in words of their own, or elsewhere on the page.
_SAID: Final = frozenset({"title", "description", "type", "properties", "required", "$ref", "items", "anyOf", "enum"})
_WORDS: Final[Mapping[str, Markup]] = {
    "const": Markup("always {}"),
    "default": Markup("{} where it is not there"),
    "minimum": Markup("at least {}"),
    "maximum": Markup("at most {}"),
    "minLength": Markup("at least {} characters"),
    "maxLength": Markup("at most {} characters"),
    "minItems": Markup("at least {} items"),
    "maxItems": Markup("at most {} items"),
    "minProperties": Markup("at least {} members"),
    "maxProperties": Markup("at most {} members"),
    "format": Markup("format {}"),
}

Schema = dict[str, Any]


def main() -> int:
    """Writes or checks the pages; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when a page is out of date")
    check: bool = parser.parse_args().check
    pages = reference()
    there = {path.name for path in INTO.glob("*")}
    stale = [name for name, text in pages.items() if name not in there or (INTO / name).read_text("utf-8") != text]
    gone = sorted(there - pages.keys())
    if not check:
        INTO.mkdir(parents=True, exist_ok=True)
        for name in stale:
            (INTO / name).write_text(pages[name], "utf-8")
        for name in gone:
            (INTO / name).unlink()
    for name in (*stale, *gone):
        print(f"{name}: {'out of date' if check else 'written' if name in stale else 'removed'}")
    return 1 if check and (stale or gone) else 0


def reference() -> dict[str, str]:
    """File name -> its text, for every page and the style sheet."""
    asyncapi = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text("utf-8"))
    names = sorted(path.name for path in SCHEMAS.iterdir() if any(path.glob("[0-9]*.[0-9]*.json")))
    schemas = {(name, version): _load(name, version) for name in names for version in _versions(name)}
    lists = _code_lists(schemas.values())
    rules = json.loads((SCHEMAS / "rules.json").read_text("utf-8"))["rules"]
    templates = Environment(
        loader=FileSystemLoader(PAGES), undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters |= {"in_code": _in_code, "pretty": _pretty, "prose": _prose}
    kinds = {kind: message["title"] for kind, message in asyncapi["components"]["messages"].items()}
    templates.globals |= {
        "menu": {
            "Messages": {f"{kind}.html": kind for kind in kinds},
            "Around them": {f"{name}.html": name for name in FRAME},
            "Files": {f"{name}.html": name for name in names if name not in FRAME and name not in kinds},
            "All of it": {"amqp.html": "On the broker", "codes.html": "Code lists", "rules.html": "Rules"},
        }
    }

    def page(template: str, here: str, **values: object) -> str:
        return templates.get_template(template).render(here=here, **values) + "\n"

    pages = {
        "index.html": page("index.html", "index.html", info=asyncapi["info"], titles=_titles(schemas), kinds=kinds),
        "amqp.html": page("amqp.html", "amqp.html", api=asyncapi),
        "codes.html": page("codes.html", "codes.html", lists=lists),
        "rules.html": page("rules.html", "rules.html", rules=rules),
        SHEET: (PAGES / SHEET).read_text("utf-8"),
    }
    for name in names:
        told = [rule for rule in rules if name in rule["applies_to"]]
        versions = [
            {
                "version": version,
                "schema": schemas[name, version],
                "objects": list(_objects(schemas[name, version])),
                "samples": _samples(name, version),
            }
            for version in reversed(_versions(name))
        ]
        message = asyncapi["components"]["messages"].get(name)
        pages[f"{name}.html"] = page(
            "schema.html", f"{name}.html", name=name, versions=versions, rules=told, of=message
        )
    return pages


def _load(name: str, version: str) -> Schema:
    schema: Schema = json.loads((SCHEMAS / name / f"{version}.json").read_text("utf-8"))
    return schema


def _versions(name: str) -> list[str]:
    """A schema's versions, oldest first."""
    found = (path.stem for path in (SCHEMAS / name).glob("[0-9]*.[0-9]*.json"))
    return sorted(found, key=lambda stem: tuple(map(int, stem.split("."))))


def _titles(schemas: Mapping[tuple[str, str], Schema]) -> dict[str, str]:
    return {name: schema["title"] for (name, _), schema in schemas.items()}


def _code_lists(schemas: Iterable[Schema]) -> dict[str, Schema]:
    """Every code list by its name; where versions differ the longest, because lists only grow."""
    lists: dict[str, Schema] = {}
    for schema in schemas:
        for definition in schema.get("$defs", {}).values():
            if _is_list(definition):
                name = definition["title"].removeprefix(LIST)
                if len(definition["enum"]) > len(lists.get(name, {"enum": []})["enum"]):
                    lists[name] = definition
    return dict(sorted(lists.items()))


def _is_list(definition: Schema) -> bool:
    return str(definition.get("title", "")).startswith(LIST)


def _objects(schema: Schema) -> Iterator[dict[str, Any]]:
    """The schema itself, then each definition that is no code list: name, members, and conditions between them."""
    named = [("", schema), *((name, each) for name, each in schema.get("$defs", {}).items() if not _is_list(each))]
    for name, definition in named:
        yield {
            "name": name,
            "description": definition.get("description", ""),
            "members": list(_members(definition, schema, "")),
            "form": None if "properties" in definition else _form(definition, schema),
            "conditions": _conditions(definition),
        }


def _members(definition: Schema, root: Schema, before: str) -> Iterator[dict[str, Any]]:
    """Every member, and those of objects that have no name of their own, by their path."""
    required = definition.get("required", [])
    for name, member in definition.get("properties", {}).items():
        yield {
            "name": f"{before}{name}",
            "required": name in required,
            "form": _form(member, root),
            "description": member.get("description", ""),
        }
        inner: Schema = next((each for each in (member, *member.get("anyOf", [])) if "properties" in each), {})
        yield from _members(inner, root, f"{before}{name}.")


def _form(member: Schema, root: Schema) -> Markup:
    """What a value must look like, in words."""
    said = [*_type(member, root), *(_bound(word, value) for word, value in member.items() if word not in _SAID)]
    return Markup(", ").join(part for part in said if part)


def _type(member: Schema, root: Schema) -> Iterator[Markup]:
    if "$ref" in member:
        name = member["$ref"].removeprefix("#/$defs/")
        is_list = _is_list(root["$defs"][name])
        version = root["$id"].rpartition(":")[2]  # each has a part of the page, and a definition may differ
        target = f"codes.html#{name}" if is_list else f"#v{version}-{name}"
        yield Markup('{}<a href="{}">{}</a>').format("a code of " if is_list else "", target, name)
    elif "anyOf" in member:
        yield Markup(" or ").join(_form(each, root) for each in member["anyOf"])
    elif "enum" in member:
        yield Markup(" or ").join(_in_code(code) for code in member["enum"])
    elif member.get("type") == "array":
        yield Markup("list, each {}").format(_form(member["items"], root))
    elif "type" in member and "const" not in member:
        yield escape(member["type"])
    for pattern, value in member.get("patternProperties", {}).items():
        yield Markup("under names {}: {}").format(_in_code(pattern), _form(value, root))
    extra = member.get("additionalProperties")
    if isinstance(extra, dict):
        names = member.get("propertyNames", {}).get("pattern")
        under = Markup(" under names {}").format(_in_code(names)) if names else ""
        yield Markup("each member{}: {}").format(under, _form(extra, root))


def _bound(word: str, value: object) -> Markup | None:
    if word == "pattern":
        return Markup("matches {}").format(_in_code(value))
    if word == "uniqueItems":
        return Markup("each once")
    return _WORDS[word].format(_in_code(value)) if word in _WORDS else None


def _conditions(definition: Schema) -> list[dict[str, Any]]:
    """One member against another, as the schema has it; with its sentence where it has one."""
    whole = {word: definition[word] for word in ("if", "then", "else") if word in definition}
    rules = [*definition.get("allOf", []), *([whole] if whole else [])]
    return [
        {"sentence": rule.get("$comment", ""), "schema": {key: rule[key] for key in rule if key != "$comment"}}
        for rule in rules
    ]


def _samples(name: str, version: str) -> dict[str, Any]:
    """Good samples with their text; of bad ones what they are to be refused for."""
    folder = SCHEMAS / "samples" / name / version
    expected = folder / "bad" / "expected.json"
    return {
        "good": {path.name: path.read_text("utf-8") for path in sorted(folder.glob("good/*.json"))},
        "bad": json.loads(expected.read_text("utf-8")) if expected.exists() else {},
    }


def _in_code(value: object) -> Markup:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Markup("<code>{}</code>").format(text)


def _prose(text: str) -> Markup:
    """A description, with what stands between back-ticks as code."""
    return Markup().join(_in_code(part) if index % 2 else escape(part) for index, part in enumerate(text.split("`")))


def _pretty(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
