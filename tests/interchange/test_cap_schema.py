"""What we write as CAP is valid by an XML Schema of CAP 1.2, as libxml2 sees it."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from servers.node_packages import ensure_node_modules, find_node

from bridge.app.sending.submit import alert_of
from bridge.interchange.cap_write import Sent, cap_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NODE = HERE / "node"
FILES = [
    *sorted(path for path in (ROOT / "examples" / "alerts").glob("*.json") if path.name != "manifest.json"),
    *sorted((ROOT / "schemas" / "samples" / "alert-file" / "1.0" / "good").glob("*.json")),
]
IDENTIFIER = "0193b0a0-89ab-7000-8000-0123456789ab"
SENT = Sent("rs.ncp", IDENTIFIER, datetime(2026, 11, 28, 8, 30, 15, tzinfo=UTC))
TO_TWO = Sent("rs.ncp", IDENTIFIER, SENT.sent, ("at.ncp", "hu.ncp"))
CHANGES = {  # one change each, and the element that the schema has to name
    "identifier": (f"<identifier>{IDENTIFIER}", "<identifier>one, two"),
    "sent": ("-00:00</sent>", "Z</sent>"),
    "status": ("<status>Actual", "<status>actual"),
    "scope": ("<scope>Restricted</scope>", ""),
    "restriction": ("</restriction>", "</restriction><restriction>again</restriction>"),
    "language": ("<language>", "<language>en_GB "),
    "responseType": ("<responseType>", "<responseType>Do"),
    "area": ("</info>", "<area/></info>"),
    "polygon": ("</info>", "<polygon/></info>"),
}

pytestmark = pytest.mark.node


@cache
def faults() -> dict[str, list[str]]:
    """What is wrong with each document, all of them in one process."""
    ensure_node_modules(NODE)
    documents = {}
    for sent in (SENT, TO_TWO):
        for path in FILES:
            documents[f"{path.stem}-{len(sent.addresses)}.xml"] = cap_of(alert_of(path.read_bytes()), sent).decode()
    whole = documents[f"{FILES[0].stem}-0.xml"]
    for name, (old, new) in CHANGES.items():
        assert old in whole, name
        documents[f"changed-{name}.xml"] = whole.replace(old, new, 1)
    done = subprocess.run(  # noqa: S603 - our own script
        [find_node().program, NODE / "validate.mjs"],
        input=json.dumps({"schema": (HERE / "cap-1.2.xsd").read_text("utf-8"), "documents": documents}),
        capture_output=True, encoding="utf-8", check=True, timeout=120,
    )  # fmt: skip
    read: dict[str, list[str]] = json.loads(done.stdout)
    return read


def test_every_alert_that_is_written_is_valid() -> None:
    written = {name: found for name, found in faults().items() if not name.startswith("changed-")}
    assert len(written) == 2 * len(FILES)
    assert {name: found for name, found in written.items() if found} == {}


@pytest.mark.parametrize("name", CHANGES)
def test_the_schema_finds_what_was_changed(name: str) -> None:
    found = faults()[f"changed-{name}.xml"]
    assert found
    assert any(name in sentence for sentence in found)
