"""`python -m broker`: a node in the foreground for a tour by hand, and what it says when it cannot be had."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import aio_pika
import pytest
from servers.missing import server_is_missing

from bridge.core.errors import BadInputError, UnavailableError
from broker import Access, GivenBroker, PrivateNode, broker_for_use, packages
from broker.__main__ import main
from broker.packages import RABBITMQ, RABBITMQ_4, Bundle, fetch

ROOT = Path(__file__).resolve().parents[3]
END_SECONDS = 15


@pytest.mark.usefixtures("broker_node")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
async def test_a_node_runs_until_it_is_told_to_end_and_takes_its_url_file_along(
    tmp_path: Path, number: int, status: int
) -> None:
    # given
    url_file = tmp_path / "admin-url"
    running = subprocess.Popen(  # noqa: S603, ASYNC220 -- our own command; the test waits for it anyway
        [sys.executable, "-m", "broker", "run", "--json", "--admin-url-file", str(url_file)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert running.stdout is not None
    told = json.loads(running.stdout.readline())

    # when
    management_url = url_file.read_text().strip()
    node = GivenBroker(told["amqp_url"].replace("//", "//admin:" + management_url.split(":")[2].split("@")[0] + "@"))
    await (await aio_pika.connect(node.amqp_url())).close()

    # then
    assert told["management_url"] in management_url.replace(f"admin:{node.admin_password}@", "")
    assert url_file.stat().st_mode & 0o777 == 0o600
    running.send_signal(number)
    rest, _ = running.communicate(timeout=END_SECONDS)
    assert (running.returncode, rest) == (status, "")
    assert os.listdir(tmp_path) == []  # noqa: PTH208 -- pathlib blocks as well


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status = main(["run", "--port", str(port), "--admin-url-file", str(tmp_path / "url")])
    assert status == 4
    assert f"port {port} on 127.0.0.1 is taken" in capsys.readouterr().err


def test_without_apt_the_sentence_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    monkeypatch.setattr(packages, "CACHE", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    # when
    bundle = Bundle("nothing", "usr/lib/nothing", "some-server")
    with pytest.raises(UnavailableError, match="some-server is not installed, and without apt-get") as caught:
        fetch(bundle)

    # then
    assert caught.value.exit_status == 4
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == ""


def test_a_failed_fetch_tells_apts_reason_and_leaves_no_half_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # given
    monkeypatch.setattr(packages, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name, script in (("apt-get", "echo 'E: no network here' >&2; exit 100"), ("dpkg-deb", "exit 0")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    # when, then
    with pytest.raises(UnavailableError, match="E: no network here"):
        fetch(RABBITMQ)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["rabbitmq.lock"]


def test_a_machine_without_a_debian_mirror_gets_no_packages_of_another_release(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # given
    monkeypatch.setattr(packages, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "apt-get").write_text("#!/bin/sh\necho 'https://elsewhere.example/ stable'\n")
    (tmp_path / "apt-get").chmod(0o755)

    # when, then
    with pytest.raises(UnavailableError, match="found no Debian mirror among the package sources of this machine"):
        fetch(RABBITMQ_4)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["rabbitmq-4.lock"]


def test_a_version_of_rabbitmq_that_is_not_tested_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCP_BRIDGE_TEST_RABBITMQ", "5")
    with pytest.raises(BadInputError, match="NCP_BRIDGE_TEST_RABBITMQ is '5', expected 4 or nothing"):
        PrivateNode().start()


def test_a_given_broker_is_used_instead_of_a_node_of_ones_own(
    broker_node: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setenv("NCP_BRIDGE_AMQP_URL", broker_node.amqp_url())
    monkeypatch.setenv("NCP_BRIDGE_MANAGEMENT_URL", broker_node.management_url)

    # when
    with broker_for_use() as given:
        given.create_vhost("of somebody else")
        given.delete_vhost("of somebody else")
        given.delete_vhost("of somebody else")

        # then
        assert isinstance(given, GivenBroker)
        assert given.amqp_url("a/b") == broker_node.amqp_url("a/b")


@pytest.mark.parametrize("url", ["amqp://127.0.0.1", "http://a:b@127.0.0.1", "amqp://a@127.0.0.1", "5672"])
def test_a_given_url_without_an_account_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(BadInputError, match="NCP_BRIDGE_AMQP_URL is malformed: expected amqp://account:password"):
        GivenBroker(url)


def test_a_missing_server_skips_a_test_here_and_fails_it_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no broker"):
        server_is_missing("no broker")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no broker"):
        server_is_missing("no broker")
