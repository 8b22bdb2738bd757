"""A country asks to be admitted: what its request proves, what governance admits, and how a forged one is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mirror_servers import serving_folder
from securesystemslib.signer import CryptoSigner
from trust_network import contact_point, found

from bridge.adapters.certificates.requests import make_request
from bridge.adapters.trust.governance.changes import governance_change
from bridge.adapters.trust.governance.publication import Publication, joined
from bridge.adapters.trust.governance.reading import read_mirror
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.adapters.trust.membership.documents import contact_point_document
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.cli.main import main_status
from bridge.core.directory import ContactPoint, Directory
from bridge.core.errors import BadInputError, RefusedError
from bridge.founding.joining import JoinRequest, admission, read_request, request_of
from bridge.settings import load_settings

YEAR = datetime.now(UTC).year
Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command with `--json`; answers its status and the one object on stdout."""

    def command(*arguments: object) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        status = main_status([*(str(argument) for argument in arguments), "--json"])
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return status, answer

    return command


@pytest.fixture
def repository(tmp_path: Path) -> TufRepository:
    """A network of Austria alone, founded now."""
    return found(tmp_path / "network", contact_point("at.ncp"), at=datetime.now(UTC))


@pytest.fixture
def mirror(repository: TufRepository, tmp_path: Path) -> Path:
    """What the country that joins has of the network: a copy of its mirror, no key."""
    shutil.copytree(repository.mirror, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def request_file(run: Run, mirror: Path, tmp_path: Path) -> Path:
    """Serbia's request."""
    file = tmp_path / "rs.request"
    status, _ = run(
        "node", "enroll", tmp_path / "rs", "--country", "RS", "--contact-point", "rs.ncp=NCP, Serbia",
        "--contact-point", "rs.border-police", "--mirror", mirror, "--out", file,
    )  # fmt: skip
    assert status == 0
    return file


SERBIA = (contact_point("rs.ncp"), contact_point("rs.border-police"))


def admit(repository: TufRepository, request: JoinRequest, points: Iterable[ContactPoint] = SERBIA) -> Directory:
    """Governance admits the request with these contact points beside the present ones."""
    now = datetime.now(UTC)

    def change(present: VerifiedList) -> Publication:
        documents = {**present.contact_points, **{point.id: contact_point_document(point) for point in points}}
        network = present.network.model_copy(
            update={"contact_points": tuple(sorted(documents)), "countries": ("AT", "RS")}
        )
        governed = governance_change(
            present,
            network=network,
            contact_points=documents,
            admitted={request.member: request.member_key},
            at=now,
        )
        return joined([governed, admission(present, request, documents)])

    repository.change(change, at=now)
    return repository.state(at=now).directory


def remove(repository: TufRepository, prefix: str) -> None:
    now = datetime.now(UTC)

    def change(present: VerifiedList) -> Publication:
        staying = {id_: one for id_, one in present.contact_points.items() if not id_.startswith(f"{prefix}.")}
        network = present.network.model_copy(update={"contact_points": tuple(sorted(staying))})
        return governance_change(present, network=network, contact_points=staying, admitted={}, at=now)

    repository.change(change, at=now)


def test_a_country_joins_with_a_file_and_without_a_key_of_the_network(
    run: Run, mirror: Path, repository: TufRepository, tmp_path: Path
) -> None:
    file = tmp_path / "rs.request"
    points = ("--contact-point", "rs.ncp=NCP, Serbia", "--contact-point", "rs.border-police")
    status, answer = run(
        "node", "enroll", tmp_path / "rs", "--country", "RS", *points, "--mirror", mirror, "--out", file
    )
    request = read_request(file)
    directory = admit(repository, request)

    assert status == 0
    assert answer["contact_points"] == [
        {"id": "rs.border-police", "kids": [f"rs.border-police#sig-{YEAR}a", f"rs.border-police#enc-{YEAR}a"]},
        {"id": "rs.ncp", "kids": [f"rs.ncp#sig-{YEAR}a", f"rs.ncp#enc-{YEAR}a"]},
    ]
    assert (answer["network"], answer["version"], answer["sha256"]) == ("see", 1, request.sha256)
    assert answer["member_key"] == request.member_key.keyid
    assert answer["root_sha256"] == repository.state().root_sha256
    assert request.contact_points == {"rs.ncp": "NCP, Serbia", "rs.border-police": "rs.border-police"}
    assert set(directory.signing_keys) == {f"rs.ncp#sig-{YEAR}a", f"rs.border-police#sig-{YEAR}a"}
    assert directory.contact_points["rs.ncp"].name == "Desk rs.ncp", "governance names it, not the request"
    pinned = load_settings(Path(answer["config"])).path(Path("trust/root.json"))
    assert read_mirror(repository.mirror, root=pinned).directory == directory


def test_a_country_joins_from_a_server_and_asks_it_from_then_on(run: Run, mirror: Path, tmp_path: Path) -> None:
    with serving_folder(mirror) as address:
        status, answer = run(
            "node", "enroll", tmp_path / "rs", "--country", "RS", "--contact-point", "rs.ncp",
            "--mirror", f"{address}/", "--out", tmp_path / "r",
        )  # fmt: skip
    gone = run(
        "node", "enroll", tmp_path / "rs2", "--country", "RS", "--contact-point", "rs.ncp",
        "--mirror", address, "--out", tmp_path / "r2",
    )  # fmt: skip

    assert (status, answer["version"]) == (0, 1)
    assert load_settings(Path(answer["config"])).trust.places == (address,)
    assert (gone[0], gone[1]["error"]["code"]) == (4, "E_NETWORK_FOLDER")


@pytest.mark.parametrize("address", ["http://trust.example.org/see", "https://admin:x@trust.example.org", "ftp://x/"])
def test_a_mirror_at_an_address_that_the_node_would_not_ask_is_refused(run: Run, tmp_path: Path, address: str) -> None:
    status, answer = run(
        "node", "enroll", tmp_path / "rs", "--country", "RS", "--contact-point", "rs.ncp",
        "--mirror", address, "--out", tmp_path / "r",
    )  # fmt: skip

    assert (status, answer["error"]["code"]) == (2, "E_MIRROR")


def test_no_private_key_and_no_password_is_in_a_request(request_file: Path, tmp_path: Path) -> None:
    text = request_file.read_text("utf-8")
    assert "PRIVATE" not in text
    for file in (tmp_path / "rs/secrets").glob("*.password"):
        assert file.read_text().strip() not in text


def test_a_removed_member_joins_again_under_key_ids_that_it_never_had(
    run: Run, repository: TufRepository, request_file: Path, tmp_path: Path
) -> None:
    admit(repository, read_request(request_file))
    remove(repository, "rs")

    status, _ = run(
        "node", "enroll", tmp_path / "rs2", "--country", "RS", "--contact-point", "rs.ncp",
        "--mirror", repository.mirror, "--out", tmp_path / "again",
    )  # fmt: skip
    directory = admit(repository, read_request(tmp_path / "again"), SERBIA[:1])

    assert status == 0
    assert set(directory.signing_keys) == {f"rs.ncp#sig-{YEAR}v2"}


def test_a_lost_node_is_replaced_only_when_it_is_said_so(
    run: Run, repository: TufRepository, request_file: Path, tmp_path: Path
) -> None:
    admit(repository, read_request(request_file))
    arguments = ("--country", "RS", "--mirror", repository.mirror, "--out", tmp_path / "again")

    refused, answer = run("node", "enroll", tmp_path / "rs2", *arguments)
    status, _ = run("node", "enroll", tmp_path / "rs2", *arguments, "--replace")
    directory = admit(repository, read_request(tmp_path / "again"))

    assert (refused, answer["error"]["code"], status) == (3, "E_KEY_EXISTS", 0)
    assert set(directory.signing_keys) == {f"rs.ncp#sig-{YEAR}v2", f"rs.border-police#sig-{YEAR}v2"}


@pytest.mark.parametrize(
    ("given", "code", "sentence"),
    [
        (("--contact-point", "at.ncp"), "E_CONTACT_POINT", "expected one of RS"),
        (("--contact-point", "ncp"), "E_CONTACT_POINT", "expected <prefix>.<name>"),
        ((), "E_COUNTRY", "the countries of the network"),
    ],
)
def test_contact_points_of_others_are_refused_before_anything_is_made(
    run: Run, mirror: Path, tmp_path: Path, given: tuple[str, ...], code: str, sentence: str
) -> None:
    status, answer = run(
        "node", "enroll", tmp_path / "rs", "--country", "RS", *given, "--mirror", mirror, "--out", tmp_path / "r"
    )

    assert (status, answer["error"]["code"]) == (2, code)
    assert sentence in answer["error"]["message"]
    assert not (tmp_path / "rs").exists()


def test_a_mirror_that_does_not_begin_with_the_root_from_elsewhere_is_refused(
    run: Run, mirror: Path, tmp_path: Path
) -> None:
    other = found(tmp_path / "other", contact_point("at.ncp"), at=datetime.now(UTC))

    status, answer = run(
        "node", "enroll", tmp_path / "rs", "--country", "RS", "--contact-point", "rs.ncp",
        "--mirror", mirror, "--root", other.first_root, "--out", tmp_path / "r",
    )  # fmt: skip

    assert (status, answer["error"]["code"]) == (3, "E_NETWORK_INVALID")
    assert not (tmp_path / "r").exists()


def test_nothing_is_written_over_and_nothing_is_left_half_made(
    run: Run, mirror: Path, request_file: Path, tmp_path: Path
) -> None:
    arguments = ("--country", "RS", "--contact-point", "rs.ncp", "--mirror", mirror)

    there = run("node", "enroll", tmp_path / "rs2", *arguments, "--out", request_file)
    nowhere = run("node", "enroll", tmp_path / "rs2", *arguments, "--out", tmp_path / "no/folder")

    assert (there[0], there[1]["error"]["code"]) == (3, "E_FILE_EXISTS")
    assert (nowhere[0], nowhere[1]["error"]["code"]) == (4, "E_NODE_FOLDER")
    assert not [path for path in (tmp_path / "rs2").rglob("*") if path.is_file()]


def _publication_of_another(file: dict[str, Any]) -> None:
    inner = json.loads(file["publication"])
    inner["documents"]["keys/rs.json"] = inner["documents"]["keys/rs.json"].replace("rs.ncp", "rs.nfp")
    file["publication"] = json.dumps(inner)


def _another_member_key(file: dict[str, Any]) -> None:
    file["member_key"] = CryptoSigner.generate_ed25519().public_key.to_dict()


def _swapped_proofs(file: dict[str, Any]) -> None:
    first, second = file["proofs"]
    file["proofs"][first], file["proofs"][second] = file["proofs"][second], file["proofs"][first]


def _role_of_another(file: dict[str, Any]) -> None:
    inner = json.loads(file["publication"])
    inner["metadata"]["member-at"] = inner["metadata"].pop("member-rs")
    file["publication"] = json.dumps(inner)


FORGERIES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "another member": (lambda file: file.update(member="at"), "expected member-at and keys/at.json"),
    "another network": (lambda file: file.update(network="west"), "expected west"),
    "the keys of another": (_publication_of_another, "is not what was signed"),
    "another's role": (_role_of_another, "expected member-rs"),
    "another member key": (_another_member_key, "expected one signature, of the member key"),
    "a member key of another kind": (
        lambda file: file.update(member_key=CryptoSigner.generate_rsa().public_key.to_dict()),
        "member_key.keytype",
    ),
    "a member key in capitals": (
        lambda file: file["member_key"]["keyval"].update(public=file["member_key"]["keyval"]["public"].upper()),
        "in its usual form",
    ),
    "a contact point more": (
        lambda file: file["contact_points"].update({"rs.customs": "Customs"}),
        "expected to be those of rs.border-police, rs.customs, rs.ncp",
    ),
    "no proof": (lambda file: file.update(proofs={}), "expected one for each signing key"),
    "a proof of another key": (_swapped_proofs, "does not hold"),
    "a proof with padding": (
        lambda file: file["proofs"].update({f"rs.ncp#sig-{YEAR}a": "AA=="}),
        "not canonical base64url",
    ),
    "a remit": (lambda file: file.update(remit={"national_desk": True}), "remit: Extra inputs are not permitted"),
    "an account that is not its own": (
        lambda file: file.update(certificates={"at-relay": ""}),
        "at-relay is no account of rs",
    ),
    "a version of later": (lambda file: file.update(v=2), "v: "),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_request_with_anything_changed_is_refused_in_a_sentence(request_file: Path, forgery: str) -> None:
    change, sentence = FORGERIES[forgery]
    file = json.loads(request_file.read_bytes())
    change(file)

    with pytest.raises(BadInputError) as caught:
        request_of(json.dumps(file).encode())

    assert caught.value.code == "E_JOIN_REQUEST"
    assert sentence in caught.value.message


@given(place=st.integers(min_value=0), byte=st.integers(min_value=0, max_value=255))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_byte_is_changed_no_other_key_is_let_in(request_file: Path, place: int, byte: int) -> None:
    data = bytearray(request_file.read_bytes())
    before = request_of(bytes(data))
    data[place % len(data)] = byte

    try:
        after = request_of(bytes(data))
    except BadInputError:
        return

    assert (after.keys, after.member_key) == (before.keys, before.member_key)
    assert (after.member, after.network, after.contact_points.keys()) == (
        before.member,
        before.network,
        before.contact_points.keys(),
    )


@pytest.mark.parametrize("member", ['"x": 1.5', '"x": "\\ud800"', f'"x": {"[" * 5000}{"]" * 5000}', '"version": 1'])
def test_metadata_that_only_a_lax_parser_reads_is_refused(request_file: Path, member: str) -> None:
    file = json.loads(request_file.read_bytes())
    inner = json.loads(file["publication"])
    inner["metadata"]["member-rs"] = inner["metadata"]["member-rs"].replace('"version":', f'{member}, "version":', 1)
    file["publication"] = json.dumps(inner)

    with pytest.raises(BadInputError, match="strict JSON"):
        request_of(json.dumps(file).encode())


def test_a_certificate_request_is_for_the_account_under_which_it_stands(request_file: Path, tmp_path: Path) -> None:
    file = json.loads(request_file.read_bytes())
    file["certificates"] = {"rs-relay": make_request(tmp_path / "k1", "rs-relay").decode()}
    assert set(request_of(json.dumps(file).encode()).certificates) == {"rs-relay"}

    file["certificates"] = {"rs-relay": make_request(tmp_path / "k2", "at-relay").decode()}
    with pytest.raises(BadInputError, match="expected one request for rs-relay, found at-relay"):
        request_of(json.dumps(file).encode())


def test_governance_admits_only_contact_points_that_it_named(repository: TufRepository, request_file: Path) -> None:
    with pytest.raises(RefusedError, match=r"names rs\.border-police, which the network file does not admit") as caught:
        admit(repository, read_request(request_file), SERBIA[:1])
    assert caught.value.code == "E_JOIN_REQUEST"


def test_a_request_for_another_network_is_not_admitted(request_file: Path, tmp_path: Path) -> None:
    west = found(tmp_path / "west", contact_point("at.ncp"), network="west", at=datetime.now(UTC))

    with pytest.raises(RefusedError, match="is for the network see, this one is west"):
        admit(west, read_request(request_file))


def test_a_key_id_is_never_admitted_for_a_second_key(
    run: Run, repository: TufRepository, mirror: Path, request_file: Path, tmp_path: Path
) -> None:
    # given: made from the list as it was before the first one was admitted
    run(
        "node", "enroll", tmp_path / "rs2", "--country", "RS", "--contact-point", "rs.ncp",
        "--mirror", mirror, "--out", tmp_path / "second",
    )  # fmt: skip
    admit(repository, read_request(request_file))

    with pytest.raises(RefusedError, match=rf"rs\.ncp#enc-{YEAR}a was the id of another key"):
        admit(repository, read_request(tmp_path / "second"))
