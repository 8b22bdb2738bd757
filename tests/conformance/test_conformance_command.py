"""The command against our own node, all services real: every case that applies is kept, and the reports say so."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from bridge.cli.main import main_status
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes
from bridge.founding.topology import apply_topology
from bridge.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.broker_fixtures import MakeVirtualHost

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "integrate" / "conformance.md").read_text("utf-8")
READY_SECONDS = 60
NETWORK = """
network = "test"
countries = ["RS", "AT", "HU"]

[defaults]
statuses = ["actual"]

[[transfers]]
from = ["RS", "AT", "HU"]
to = ["RS", "AT", "HU"]
basis = "agreement"
"""
DESK = '\n[[contact_points]]\nid = "{0}.ncp"\nname = "National contact point {0}"\nnational_desk = true\n'
START = """#!/bin/sh
test -f {folder}/pid && kill -9 $(cat {folder}/pid)
rm -f {folder}/ready
cd {root}
setsid {python} -m bridge run --config {config} --ready-file {folder}/ready >{folder}/log 2>&1 &
echo $! >{folder}/pid
until test -f {folder}/ready; do sleep 0.1; done
"""


@pytest.fixture
def countries(tmp_path: Path, make_vhost: MakeVirtualHost) -> Iterator[tuple[Path, str]]:
    """Serbia, Austria, Hungary, founded and enrolled, with their topology on the broker; Austria runs."""
    vhost = make_vhost({})
    description = tmp_path / "network.toml"
    description.write_text(NETWORK + "".join(DESK.format(prefix) for prefix in ("rs", "at", "hu")), "utf-8")
    found_network(tmp_path / "network", description)
    place = BrokerPlace(
        host=vhost.broker.host,
        port=vhost.broker.port,
        vhost=vhost.name,
        admin_url_file=Path("secrets/broker-admin.url"),
    )
    orders = [NodeOrder(tmp_path / prefix, prefix.upper(), place) for prefix in ("rs", "at", "hu")]
    found = found_nodes(orders, network=tmp_path / "network")
    for node in found:
        administrator = node.config.parent / "secrets" / "broker-admin.url"
        administrator.touch(mode=0o600)
        administrator.write_text(vhost.broker.management_url)
    asyncio.run(apply_topology([load_settings(node.config) for node in found]))
    austria = tmp_path / "at"
    script = START.format(folder=austria, root=ROOT, python=sys.executable, config=austria / "node.toml")
    (austria / "start").write_text(script)
    subprocess.run(["/bin/sh", austria / "start"], check=True, timeout=READY_SECONDS)  # noqa: S603 - the lines above
    yield tmp_path, f"amqp://{vhost.broker.host}:{vhost.broker.port}/{vhost.name}"
    end(int((austria / "pid").read_text()))


def end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def run(folder: Path, broker: str, *more: object) -> int:
    options = (
        *("--network", folder / "network.json", "--broker", broker, "--implementation", "at.ncp", "--as", "rs.ncp"),
        *("--keys", folder / "rs" / "keys" / "rs.ncp", "--passwords", folder / "rs" / "secrets"),
    )
    return main_status([str(word) for word in ("conformance", "run", *options, *more)])


def test_our_own_node_keeps_every_rule(countries: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    # given
    folder, broker = countries
    assert main_status(["network", "export", str(folder / "network"), "--out", str(folder / "network.json")]) == 0
    capsys.readouterr()
    submit = f"cd {ROOT} && {sys.executable} -m bridge alert submit {{file}} --config {folder}/at/node.toml"
    started = time.monotonic()

    # when
    status = run(
        *(folder, broker, "--router", "--claims", "ncp-bridge 0.1.0 <&>", "--json"),
        *("--send-command", submit, "--restart-command", f"/bin/sh {folder}/at/start"),
        *("--junit", folder / "report.xml", "--html", folder / "report.html"),
    )

    # then
    out, told = capsys.readouterr()
    report: dict[str, Any] = json.loads(out)
    verdicts = {case["id"]: case["verdict"] for case in report["cases"]}
    assert (status, report["counts"]["fail"]) == (0, 0), told
    skipped = {name for name, verdict in verdicts.items() if verdict == "skipped"}
    # nobody answers there by himself; exercises and a revoked key are not in this network; what takes a minute
    expected = {"acknowledges", "duplicate-again", "good-exercise", "refuse-key-revoked"}
    assert skipped - {"send-control", "urgent-first"} == expected, told  # nothing was heard; too quick to tell
    check_junit(folder / "report.xml", verdicts)
    page = (folder / "report.html").read_text("utf-8")
    assert "ncp-bridge 0.1.0 &lt;&amp;&gt;" in page
    assert "<script" not in page
    assert all(name in page for name in verdicts)
    assert time.monotonic() - started < 60

    # and: what is dead is noticed by the first case
    end(int((folder / "at" / "pid").read_text()))
    started = time.monotonic()
    assert run(folder, broker, "--bound", "3", "--json") == 1
    assert time.monotonic() - started < 15
    report = json.loads(capsys.readouterr().out)
    assert report["counts"] == {"pass": 0, "fail": 1, "skipped": len(report["cases"]) - 1}

    # and: what is asked wrongly is said before anything is sent
    assert run(folder, broker, "--only", "no-such-case") == 2
    assert run(folder, broker.replace("amqp://", "amqp://somebody:secret@")) == 2


def test_the_commands_of_the_page_do_what_it_says(
    countries: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, broker = countries
    monkeypatch.chdir(folder)
    block = PAGE.partition("```bash\n")[2].partition("```")[0].replace("\\\n", " ")

    for line in block.replace("amqp://127.0.0.1:5672/test", broker).splitlines():
        program, *words = shlex.split(line)
        assert program == "ncp-bridge"
        shortened = ["--only", "alive"] if words[:2] == ["conformance", "run"] else []  # the rest is tried above
        assert main_status([*words, *shortened]) == 0, capsys.readouterr().err

    assert (folder / "report.xml").exists()
    assert "their-system 1.2" in (folder / "report.html").read_text("utf-8")


def check_junit(file: Path, verdicts: dict[str, str]) -> None:
    """As JUnit's readers want it: counts that agree, a name and a class for each case, what failed inside."""
    root = ET.parse(file).getroot()  # noqa: S314 - written above
    (suite,) = root
    cases = suite.findall("testcase")
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    assert int(suite.attrib["tests"]) == len(cases) == len(verdicts)
    for kind, verdict in (("failures", "fail"), ("skipped", "skipped")):
        assert int(suite.attrib[kind]) == sum(each == verdict for each in verdicts.values())
    for case in cases:
        assert {"classname", "name", "time"} <= case.attrib.keys()
        assert float(case.attrib["time"]) >= 0
        inside = [child.tag for child in case]
        assert inside == {"pass": [], "fail": ["failure"], "skipped": ["skipped"]}[verdicts[case.attrib["name"]]]


def test_the_list_names_every_case_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main_status(["conformance", "list", "--json"]) == 0
    cases = json.loads(capsys.readouterr().out)["cases"]
    assert len({case["id"] for case in cases}) == len(cases) >= 80
    assert all(case["rule"] and case["sent"] and case["expected"] for case in cases)
    assert f"{len(cases)} cases" in PAGE
