"""The HTML reference: what the contract says now, all of it, in pages that need nothing from elsewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from bridge.api import reference
from bridge.core.vocabulary import CODE_LISTS, KINDS

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = ROOT / "schemas"
FOLDER = ROOT / "bridge" / "api" / "static" / "reference"
PAGES = sorted(FOLDER.glob("*.html"))
NAMES = sorted(path.parent.name for path in SCHEMAS.glob("*/1.0.json"))


class Page(HTMLParser):
    """What a page holds: its ids, where it leads, its elements' attributes, its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.leads: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src"):
                self.leads.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


@cache
def page(name: str) -> Page:
    return Page(FOLDER / f"{name}.html")


def test_writing_it_again_changes_nothing() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, ROOT / "scripts" / "reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", NAMES)
def test_every_member_sample_and_rule_of_a_schema_is_on_its_page(name: str) -> None:
    schema = json.loads((SCHEMAS / name / "1.0.json").read_text("utf-8"))
    shown = page(name)
    definitions = [schema, *(each for each in schema.get("$defs", {}).values() if "properties" in each)]
    for member in {member for each in definitions for member in each.get("properties", {})}:
        assert member in shown.text
    for sample in (SCHEMAS / "samples" / name).glob("1.0/*/*.json"):
        if sample.parent.name == "good":
            assert sample.read_text("utf-8") in shown.text
        elif sample.name != "expected.json":
            assert f"../schemas/samples/{name}/1.0/bad/{sample.name}" in shown.leads
    for rule in json.loads((SCHEMAS / "rules.json").read_text("utf-8"))["rules"]:
        assert (f"rules.html#{rule['id']}" in shown.leads) == (name in rule["applies_to"])


def test_every_kind_code_list_and_name_on_the_broker_is_there() -> None:
    assert set(KINDS) <= set(NAMES)
    assert {f"{name}.html" for name in NAMES} <= set(page("index").leads)
    shown = page("codes")
    for schema in (json.loads((SCHEMAS / name / "1.0.json").read_text("utf-8")) for name in NAMES):
        for name in CODE_LISTS.keys() & schema.get("$defs", {}).keys():
            assert name in shown.ids
            assert all(code in shown.text for code in CODE_LISTS[name])
    asyncapi: dict[str, Any] = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text("utf-8"))
    on_the_broker = page("amqp").text
    for said in (
        *(channel["address"] for channel in asyncapi["channels"].values()),
        *asyncapi["operations"],
        *asyncapi["components"]["parameters"],
        *asyncapi["components"]["messageTraits"]["wire"]["x-amqp-properties"],
        *(scheme["type"] for scheme in asyncapi["components"]["securitySchemes"].values()),
    ):
        assert said in on_the_broker


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_leads_somewhere_and_needs_nothing_from_elsewhere(path: Path) -> None:
    shown = page(path.stem)
    assert len(shown.ids) == len(set(shown.ids))
    assert not shown.tags & {"script", "style", "img", "iframe"}
    assert not {name for name in shown.attributes if name == "style" or name.startswith("on")}
    for lead in shown.leads:
        file, _, part = lead.partition("#")
        if lead.startswith("../"):
            assert lead == "../openapi.json" or (ROOT / lead.removeprefix("../")).is_file(), lead
        else:
            target = FOLDER / file if file else path
            assert target.is_file(), lead
            assert not part or part in page(target.stem).ids, lead
    assert not re.search(r"url\(|@import", (FOLDER / "reference.css").read_text("utf-8"))


async def test_it_is_served_with_a_policy_of_its_own_and_nothing_beside_it() -> None:
    app = Starlette(
        routes=[
            Route(reference.PATH, reference.to_its_first_page),
            Mount(reference.PATH, reference.Reference()),
        ]
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://node", follow_redirects=True) as client:
        first = await client.get("/api/reference")
        assert first.url.path == "/api/reference/"
        assert first.text == (FOLDER / "index.html").read_text("utf-8")
        sheet = await client.get("/api/reference/reference.css")
        assert sheet.headers["content-type"].startswith("text/css")
        assert first.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
        assert (await client.get("/api/reference/%2e%2e/%2e%2e/app.py")).status_code == 404
