"""What a settings file may say, and one sentence for everything else; secrets stand in private files only."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.cli.main import main_status
from bridge.core.errors import BadInputError, BridgeError, UnavailableError
from bridge.settings import NodeSettings, load_settings

PASSWORD = "horse/battery:staple@42#?"
POINT = """
[[contact_points]]
id = "{id}"
keys = "keys/{id}"
account = {{ user = "inbox", password_file = "secrets/inbox.password" }}
"""
SETTINGS = """
country = "RS"
{top}
[broker]
relay = {{ user = "rs-relay", password_file = "secrets/relay.password" }}
router = {{ user = "rs-router", password_file = "secrets/router.password" }}
[trust]
mirror = "mirror"
cache = "cache"
root = "root.json"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    return tmp_path


def write(folder: Path, top: str = "", *, points: tuple[str, ...] = ("rs.ncp",)) -> Path:
    file = folder / "node.toml"
    file.write_text(SETTINGS.format(top=top) + "".join(POINT.format(id=point) for point in points), "utf-8")
    return file


def secret(folder: Path, name: str, data: bytes, *, mode: int = 0o600) -> Path:
    path = folder / "secrets" / name
    path.write_bytes(data)
    path.chmod(mode)
    return path


def fault(path: Path) -> BadInputError:
    with pytest.raises(BadInputError) as caught:
        load_settings(path)
    assert caught.value.code == "E_CONFIG"
    return caught.value


def relay_url(folder: Path) -> str:
    settings = load_settings(write(folder))
    return settings.amqp_urls(settings.broker.relay)[0]


def test_a_password_is_read_from_its_private_file(folder: Path) -> None:
    secret(folder, "relay.password", f"{PASSWORD}\n".encode())

    assert relay_url(folder) == "amqp://rs-relay:horse%2Fbattery%3Astaple%4042%23%3F@127.0.0.1:5672/%2F"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_password_file_that_others_may_open_is_refused(folder: Path, mode: int) -> None:
    secret(folder, "relay.password", PASSWORD.encode(), mode=mode)

    with pytest.raises(UnavailableError, match=r"relay\.password can be read by others; expected mode 0600") as caught:
        relay_url(folder)
    assert caught.value.code == "E_SECRET_FILE"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe\x00secret", "is not UTF-8 text; expected one line"),
        (b"", "holds nothing; expected one line"),
        (b" \n", "holds nothing; expected one line"),
        (b"secret\nsecret\n", "holds several lines; expected one line"),
    ],
)
def test_a_password_file_that_holds_no_line_is_one_sentence_without_its_content(
    folder: Path, data: bytes, said: str
) -> None:
    secret(folder, "relay.password", data)

    with pytest.raises(UnavailableError) as caught:
        relay_url(folder)
    assert caught.value.code == "E_SECRET_FILE"
    assert caught.value.message.endswith(f"relay.password {said}")
    assert "secret\n" not in caught.value.message


def test_a_folder_in_a_password_files_place_is_one_sentence(folder: Path) -> None:
    (folder / "secrets" / "relay.password").mkdir()

    with pytest.raises(UnavailableError):
        relay_url(folder)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://bridge:{PASSWORD}@db.example.org/bridge",
        "postgresql://bridge:secret@db.example.org/bridge",
        "postgresql://:secret@db.example.org/bridge",
        "postgresql://bridge@db.example.org/bridge?password=secret",
        "postgresql://bridge@db.example.org/bridge?ssl=require&password=secret",
    ],
)
def test_a_password_in_the_databases_address_is_refused_and_not_repeated(folder: Path, url: str) -> None:
    error = fault(write(folder, f'database = "{url}"'))

    assert error.path == "$.database"
    assert "database_password_file" in error.message
    assert "secret" not in error.message
    assert "horse" not in error.message


def test_the_databases_password_comes_from_its_file(folder: Path) -> None:
    secret(folder, "database.password", f"{PASSWORD}\n".encode())
    top = (
        'database = "postgresql://bridge@db.example.org:5432/bridge"\n'
        'database_password_file = "secrets/database.password"'
    )

    settings = load_settings(write(folder, top))

    encoded = "horse%2Fbattery%3Astaple%4042%23%3F"
    assert settings.database_url == f"postgresql://bridge:{encoded}@db.example.org:5432/bridge"
    assert "horse" not in repr(settings)


def test_a_database_without_a_password_is_as_it_stands(folder: Path) -> None:
    url = "postgresql://bridge@/bridge?host=/run/postgresql"

    assert load_settings(write(folder, f'database = "{url}"')).database_url == url


@pytest.mark.parametrize("url", ["sqlite:///node.db", "postgresql://db.example.org/bridge"])
def test_a_password_file_without_an_account_at_a_server_is_refused(folder: Path, url: str) -> None:
    error = fault(write(folder, f'database = "{url}"\ndatabase_password_file = "secrets/database.password"'))

    assert error.path == "$.database_password_file"
    assert "postgresql://account@host/database" in error.message


def test_a_contact_point_of_another_country_is_refused(folder: Path) -> None:
    error = fault(write(folder, points=("rs.ncp", "at.ncp")))

    assert error.path == "$.contact_points"
    assert "contact points of RS only, but at.ncp is not one" in error.message


def test_a_contact_point_that_stands_twice_is_refused(folder: Path) -> None:
    error = fault(write(folder, points=("rs.ncp", "rs.border-police", "rs.ncp")))

    assert "each contact point once, but rs.ncp stands here twice" in error.message


def test_the_folder_is_that_of_the_file_whatever_the_environment_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NCP_BRIDGE_FOLDER", "/elsewhere")
    monkeypatch.setenv("NCP_BRIDGE__FOLDER", "/elsewhere")

    settings = load_settings(write(folder))

    assert settings.folder == folder
    assert settings.path(Path("keys")) == folder / "keys"


def test_the_file_cannot_name_the_folder_either(folder: Path) -> None:
    assert fault(write(folder, 'folder = "/elsewhere"')).path == "$.folder"


def test_the_environment_wins_over_one_setting_of_a_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCP_BRIDGE_BROKER__HOST", "broker.example.org")

    settings = load_settings(write(folder))

    assert (settings.broker.host, settings.broker.relay.user) == ("broker.example.org", "rs-relay")


@pytest.mark.parametrize("name", ["BROKER", "TRUST", "CONTACT_POINTS"])
def test_an_environment_variable_that_is_no_json_is_named_and_its_value_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"NCP_BRIDGE_{name}", "hush")

    error = fault(write(folder))

    assert f"NCP_BRIDGE_{name}: expected JSON" in error.message
    assert "hush" not in error.message


def test_a_wrong_value_in_the_environment_names_its_setting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCP_BRIDGE_BROKER__PORT", "many")

    assert fault(write(folder)).path == "$.broker.port"


def test_on_the_command_line_a_wrong_variable_is_one_object_and_exit_status_2(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NCP_BRIDGE_BROKER", "x")

    status = main_status(["status", "--config", str(write(folder)), "--json"])

    said = capsys.readouterr()
    assert status == 2
    assert '"E_CONFIG"' in said.out
    assert "Traceback" not in said.out + said.err


def test_on_the_command_line_a_secret_that_is_no_text_is_one_object_and_exit_status_4(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret(folder, "relay.password", b"\xff")

    status = main_status(["topology", "apply", "--config", str(write(folder)), "--json"])

    said = capsys.readouterr()
    assert status == 4
    assert '"E_SECRET_FILE"' in said.out
    assert "Traceback" not in said.out + said.err


def test_settings_are_frozen_and_their_faults_are_of_the_one_kind(folder: Path) -> None:
    settings = load_settings(write(folder))

    assert isinstance(settings, NodeSettings)
    with pytest.raises(ValueError, match="frozen"):
        settings.country = "AT"
    with pytest.raises(BridgeError):
        load_settings(folder / "missing.toml")


def test_a_token_in_place_of_key_files_is_named_and_its_pin_is_not(folder: Path) -> None:
    file = write(folder)
    token = 'token = { module = "/usr/lib/p11.so", label = "rs", pin_file = "secrets/token.pin" }'
    file.write_text(f"{file.read_text('utf-8')}{token}\n", "utf-8")

    settings = load_settings(file)

    (point,) = settings.contact_points
    assert point.token is not None
    assert point.token.module == Path("/usr/lib/p11.so")
    assert settings.path(point.token.pin_file) == (folder / "secrets" / "token.pin").resolve()


@pytest.mark.parametrize(
    ("token", "path"),
    [
        ('{ module = "/p11.so", label = "rs", pin = "1234" }', "$.contact_points[0].token.pin_file"),
        ('{ module = "/p11.so", label = "", pin_file = "pin" }', "$.contact_points[0].token.label"),
    ],
)
def test_a_token_without_label_or_pin_file_is_named(folder: Path, token: str, path: str) -> None:
    file = write(folder)
    file.write_text(f"{file.read_text('utf-8')}token = {token}\n", "utf-8")

    error = fault(file)

    assert error.path == path
    assert "1234" not in error.message
