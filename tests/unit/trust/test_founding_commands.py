"""`network` and `node` on the command line: what they print, what they make, how they refuse."""

from __future__ import annotations

import stat
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from trust_network import Run, edit_json

from bridge.adapters.jose.desk import load_desk
from bridge.adapters.jose.key_files import read_secret
from bridge.adapters.trust.governance.reading import read_repository
from bridge.cli.main import main_status
from bridge.compose.node import open_trust
from bridge.core.errors import RefusedError
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes, render_settings
from bridge.settings import load_settings

DEMO = Path("config/demo-network.toml")


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """The demo's network, just founded."""
    found_network(tmp_path / "network", DEMO)
    return tmp_path / "network"


def test_a_network_is_founded_shown_and_verified(run: Run, tmp_path: Path) -> None:
    status, founded = run("network", "init", tmp_path / "network", "--config", DEMO)
    shown = run("network", "show", tmp_path / "network")
    verified = run("network", "verify", tmp_path / "network")

    assert status == 0
    assert (founded["network"], founded["version"], len(founded["countries"])) == ("see", 1, 14)
    assert founded["countries"] == sorted(founded["countries"])
    assert founded["contact_points"] == sorted(founded["contact_points"])
    assert "xk.ncp" in founded["contact_points"]
    assert shown == verified == (0, founded)
    assert {role["role"]: (role["threshold"], role["keys"]) for role in founded["roles"]} == {
        "root": (2, 3),
        "targets": (2, 3),
        "snapshot": (1, 1),
        "timestamp": (1, 1),
        "revocations": (1, 2),
    }


def test_for_people_the_network_is_a_table(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main_status(["network", "show", str(network)]) == 0

    out = capsys.readouterr().out
    assert "network see, version 1, 14 countries" in out
    assert "rs.child-protection" in out
    assert "children only" in out
    assert "2 of 3" in out
    assert "UNSCR 1244" in out


def test_an_existing_network_is_not_written_over(run: Run, network: Path) -> None:
    status, answer = run("network", "init", network, "--config", DEMO)

    assert (status, answer["error"]["code"]) == (3, "E_NETWORK_EXISTS")


def test_a_faulty_network_file_is_bad_input_that_names_the_field(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "network.toml"
    file.write_text(DEMO.read_text("utf-8").replace('"servitude"', '"servitud"'), "utf-8")

    status, answer = run("network", "init", tmp_path / "network", "--config", file)

    assert (status, answer["error"]["code"]) == (2, "E_NETWORK_FILE")
    assert answer["error"]["path"] == "$.contact_points[15].remit.exploitation"
    assert "did you mean servitude?" in answer["error"]["message"]
    assert not (tmp_path / "network").exists()


def test_a_missing_file_or_network_is_unavailable(run: Run, tmp_path: Path) -> None:
    assert run("network", "init", tmp_path / "n", "--config", tmp_path / "no.toml")[0] == 4
    assert run("network", "show", tmp_path)[1]["error"]["code"] == "E_NETWORK_FOLDER"


def test_verify_refuses_a_forged_network_in_one_sentence(
    run: Run, network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_json(network / "mirror/metadata/1.targets.json", lambda document: document["signed"].update(version=9))

    status, answer = run("network", "verify", network)

    assert (status, answer["error"]["code"]) == (3, "E_NETWORK_INVALID")
    assert run("network", "show", network)[0] == 3
    assert main_status(["network", "verify", str(network)]) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_an_expired_network_is_shown_but_not_verified_until_it_is_confirmed(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "network"
    found_network(folder, DEMO, at=datetime.now(UTC) - timedelta(days=50))

    assert run("network", "verify", folder)[1]["error"]["message"].endswith("timestamp.json is expired")
    assert run("network", "show", folder)[1]["valid"] is False


def test_a_list_is_confirmed_anew(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "network"
    old = datetime.now(UTC) - timedelta(days=40)
    found_network(folder, DEMO, at=old)

    status, answer = run("network", "confirm", folder)

    assert (status, answer["version"]) == (0, 1)
    assert read_repository(folder).signed_at - old > timedelta(days=39)


def test_a_node_is_set_up_enrolled_and_ready_to_load(run: Run, network: Path, tmp_path: Path) -> None:
    folder = tmp_path / "rs"

    status, answer = run("node", "init", folder, "--country", "RS", "--network", network, "--vhost", "see")

    year = datetime.now(UTC).year
    points = ["rs.border-police", "rs.child-protection", "rs.ncp"]
    assert status == 0
    assert answer["config"] == str(folder / "node.toml")
    assert answer["contact_points"] == [{"id": p, "kids": [f"{p}#sig-{year}a", f"{p}#enc-{year}a"]} for p in points]
    settings = load_settings(folder / "node.toml")
    assert (settings.country, settings.broker.vhost) == ("RS", "see")
    assert [point.id for point in settings.contact_points] == points
    directory = read_repository(network)
    assert directory.version == 2
    secret = read_secret(settings.path(settings.machine_secret_file))
    for point in settings.contact_points:
        desk, _ = load_desk(settings.path(point.keys), point.id, machine_secret=secret)
        assert set(desk.keys.kids()) == {f"{point.id}#sig-{year}a", f"{point.id}#enc-{year}a"}
        signing, sealing = directory.signing_keys, directory.encryption_keys
        for kid in desk.keys.kids():
            assert desk.keys.point(kid) == (signing.get(kid) or sealing[kid]).point
        assert settings.amqp_urls(point.account)[0].startswith("amqp://rs-inbox-")
    source = open_trust(settings)
    assert source.current() == directory


def test_enrolled_keys_have_the_times_of_the_wire_format(network: Path, tmp_path: Path) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    found_nodes([NodeOrder(tmp_path / "xk", "xk")], network=network, at=at)

    directory = read_repository(network)

    (sign,), (seal,) = directory.signing_keys.values(), directory.encryption_keys.values()
    assert sign.verify_until - sign.use_until == timedelta(days=31)
    assert seal.use_until - at == timedelta(days=90)
    assert directory.seal_key("xk.ncp", at) == seal


def test_secrets_are_private_random_and_in_no_settings_file(network: Path, tmp_path: Path) -> None:
    found_nodes([NodeOrder(tmp_path / "rs", "RS"), NodeOrder(tmp_path / "at", "AT")], network=network)

    passwords = [path.read_text().strip() for path in tmp_path.glob("*/secrets/*.password")]
    private = [*tmp_path.glob("*/secrets/*"), *tmp_path.glob("??/keys/*/*")]
    settings = (tmp_path / "rs/node.toml").read_text()

    assert len(passwords) == len(set(passwords)) == 5 + 3
    assert all(len(password) >= 32 for password in passwords)
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    assert not any(password in settings for password in passwords)


def test_a_country_outside_the_network_is_bad_input_naming_those_inside(
    run: Run, network: Path, tmp_path: Path
) -> None:
    status, answer = run("node", "init", tmp_path / "fr", "--country", "FR", "--network", network)

    assert (status, answer["error"]["code"]) == (2, "E_COUNTRY")
    assert "AL, AT, BA, BG, DE" in answer["error"]["message"]
    assert not (tmp_path / "fr").exists()


def test_an_existing_node_is_not_written_over(run: Run, network: Path, tmp_path: Path) -> None:
    run("node", "init", tmp_path / "rs", "--country", "RS", "--network", network)
    before = {path: path.read_bytes() for path in (tmp_path / "rs").rglob("*") if path.is_file()}

    again = run("node", "init", tmp_path / "rs", "--country", "AT", "--network", network)
    beside = run("node", "init", tmp_path / "rs2", "--country", "RS", "--network", network)

    assert (again[0], again[1]["error"]["code"]) == (3, "E_NODE_EXISTS")
    assert (beside[0], beside[1]["error"]["code"]) == (3, "E_KEY_EXISTS")
    assert {path: path.read_bytes() for path in (tmp_path / "rs").rglob("*") if path.is_file()} == before


def test_credentials_on_the_command_line_are_refused(run: Run, network: Path, tmp_path: Path) -> None:
    arguments = ("--country", "RS", "--network", network, "--management-url", "http://admin:secret@127.0.0.1:15672")

    status, answer = run("node", "init", tmp_path / "rs", *arguments)

    assert (status, answer["error"]["code"]) == (2, "E_BROKER_URL")
    assert "secret" not in answer["error"]["message"]


def test_when_enrolment_fails_no_folder_is_left_half_made(network: Path, tmp_path: Path) -> None:
    (tmp_path / "rs/secrets").mkdir(parents=True)
    (tmp_path / "rs/secrets/broker-admin.url").write_text("the administrator's own")
    (network / "keys/governance-1.pem").unlink()
    (network / "keys/governance-2.pem").unlink()

    with pytest.raises(RefusedError, match="1 of 2 signatures"):
        found_nodes([NodeOrder(tmp_path / "rs", "RS"), NodeOrder(tmp_path / "at", "AT")], network=network)

    left = [path for folder in ("rs", "at") for path in (tmp_path / folder).rglob("*") if path.is_file()]
    assert left == [tmp_path / "rs/secrets/broker-admin.url"]


def test_one_country_twice_in_one_order_is_refused(network: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="one node for a country"):
        found_nodes([NodeOrder(tmp_path / "a", "RS"), NodeOrder(tmp_path / "b", "RS")], network=network)
    assert read_repository(network).signing_keys == {}


@pytest.mark.alone
def test_fourteen_nodes_are_founded_in_one_version_and_quickly(network: Path, tmp_path: Path) -> None:
    countries = read_repository(network).countries
    start = time.perf_counter()

    found = found_nodes([NodeOrder(tmp_path / country, country) for country in countries], network=network)

    assert time.perf_counter() - start < 3
    assert len(found) == 14
    directory = read_repository(network)
    assert directory.version == 2
    assert len(directory.signing_keys) == len(directory.contact_points)


def test_the_settings_template_is_what_node_init_writes() -> None:
    place = BrokerPlace(
        scheme="amqps",
        host="broker.example.org",
        port=5671,
        vhost="see",
        management_url="https://broker.example.org:15671",
    )
    mirror = "/var/lib/ncp-bridge/see/mirror"

    text = render_settings(country="RS", contact_points=["rs.ncp", "rs.border-police"], broker=place, mirror=mirror)

    assert Path("config/node.toml").read_text("utf-8") == text
    settings = load_settings(Path("config/node.toml"))
    assert settings.broker.management_url == place.management_url


def test_topology_apply_names_the_missing_administrators_address(run: Run, network: Path, tmp_path: Path) -> None:
    run("node", "init", tmp_path / "rs", "--country", "RS", "--network", network)

    status, answer = run("topology", "apply", "--config", tmp_path / "rs/node.toml")

    assert (status, answer["error"]["code"]) == (4, "E_SECRET_FILE")
    assert "broker-admin.url" in answer["error"]["message"]
