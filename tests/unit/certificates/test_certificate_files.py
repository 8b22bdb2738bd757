"""A node's certificates on its disk: from the request to the file in use, and what is not put in its place."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from certificate_members import AT, MEMBERS

from bridge.adapters.certificates.authority import Authority, load_authority, make_authority
from bridge.adapters.certificates.contexts import account_context
from bridge.adapters.certificates.files import (
    certificate_file,
    held_certificate,
    install_certificates,
    request_certificates,
)
from bridge.adapters.certificates.issued import latest_issued, note_issued
from bridge.adapters.certificates.requests import read_requests
from bridge.core.errors import RefusedError, UnavailableError
from bridge.private_files import write_private

ACCOUNTS = ["rs-relay", "rs-router"]


class Secretariat:
    """An authority and what it answers."""

    def __init__(self, folder: Path) -> None:
        self.pem = make_authority(folder / "authority-1.pem", "see", at=AT)
        self.authority: Authority = load_authority(folder, [self.pem])

    def answer(
        self, requests: dict[str, bytes], *, at: datetime = AT, lifetime: timedelta = timedelta(days=90)
    ) -> bytes:
        found = read_requests(b"".join(requests.values()))
        return b"".join(
            self.authority.issue(one, member=one.name[:2], directory=MEMBERS, at=at, lifetime=lifetime) for one in found
        )


@pytest.fixture
def secretariat(tmp_path: Path) -> Secretariat:
    return Secretariat(tmp_path / "network")


def install(folder: Path, pem: bytes, secretariat: Secretariat, *, at: datetime = AT) -> None:
    install_certificates(folder, pem, accounts=ACCOUNTS, authorities=[secretariat.pem], at=at)


def test_an_answer_is_put_in_use_as_one_private_file_for_each_account(tmp_path: Path, secretariat: Secretariat) -> None:
    folder = tmp_path / "certificates"
    requests = request_certificates(folder, ACCOUNTS)

    install(folder, secretariat.answer(requests), secretariat)

    assert sorted(path.name for path in folder.iterdir()) == ["rs-relay.pem", "rs-router.pem"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert held_certificate(folder, "rs-relay").ends == AT + timedelta(days=90)
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate_file(folder, "rs-relay"))


def test_a_request_that_is_made_again_leaves_the_first_answer_usable(tmp_path: Path, secretariat: Secretariat) -> None:
    answer = secretariat.answer(request_certificates(tmp_path, ACCOUNTS))

    request_certificates(tmp_path, ACCOUNTS)
    install(tmp_path, answer, secretariat)

    assert held_certificate(tmp_path, "rs-router").name == "rs-router"


def test_a_renewed_certificate_is_on_a_new_key(tmp_path: Path, secretariat: Secretariat) -> None:
    install(tmp_path, secretariat.answer(request_certificates(tmp_path, ACCOUNTS)), secretariat)
    before = certificate_file(tmp_path, "rs-relay").read_bytes()

    install(tmp_path, secretariat.answer(request_certificates(tmp_path, ACCOUNTS)), secretariat)

    assert not set(before.splitlines()[1:4]) & set(certificate_file(tmp_path, "rs-relay").read_bytes().splitlines())


def test_what_was_not_asked_for_changes_nothing(tmp_path: Path, secretariat: Secretariat) -> None:
    folder, now = tmp_path / "certificates", AT
    install(folder, secretariat.answer(request_certificates(folder, ACCOUNTS)), secretariat)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    without_request = secretariat.answer(request_certificates(tmp_path / "other", ACCOUNTS))
    waiting = request_certificates(folder, ACCOUNTS)
    right = secretariat.answer({"rs-relay": waiting["rs-relay"]})
    bad = {
        "nothing": b"",
        "another authority's": Secretariat(tmp_path / "stranger").answer(waiting),
        "another country's": secretariat.answer(request_certificates(tmp_path / "at", ["at-relay"])),
        "on another key": right + without_request,
        "ended": secretariat.answer(waiting, at=now - timedelta(days=91)),
        "not begun": secretariat.answer(waiting, at=now + timedelta(days=1)),
    }
    for what, pem in bad.items():
        with pytest.raises(RefusedError) as refused:
            install(folder, pem, secretariat)
        assert refused.value.code == "E_CERTIFICATE", what
        assert {path: path.read_bytes() for path in before} == before, what


def test_an_installation_that_was_interrupted_is_done_again(tmp_path: Path, secretariat: Secretariat) -> None:
    requests = request_certificates(tmp_path, ACCOUNTS)
    answer = secretariat.answer(requests)
    install(tmp_path, answer.partition(b"-----END CERTIFICATE-----\n")[0] + b"-----END CERTIFICATE-----\n", secretariat)

    install(tmp_path, answer, secretariat)

    assert [held_certificate(tmp_path, account).name for account in ACCOUNTS] == ACCOUNTS


def test_interrupted_before_the_waiting_key_was_gone_it_does_not_wait_for_ever(
    tmp_path: Path, secretariat: Secretariat
) -> None:
    answer = secretariat.answer(request_certificates(tmp_path, ACCOUNTS))
    waiting = {path: path.read_bytes() for path in tmp_path.glob("*.waiting")}
    install(tmp_path, answer, secretariat)
    for path, key in waiting.items():
        write_private(path, key)

    install(tmp_path, answer, secretariat)

    assert not list(tmp_path.glob("*.waiting"))


def test_the_answer_that_is_in_use_given_again_leaves_a_newer_request_waiting(
    tmp_path: Path, secretariat: Secretariat
) -> None:
    first = secretariat.answer(request_certificates(tmp_path, ACCOUNTS))
    install(tmp_path, first, secretariat)
    second = secretariat.answer(request_certificates(tmp_path, ACCOUNTS), at=AT - timedelta(days=1))

    install(tmp_path, first, secretariat)
    install(tmp_path, second, secretariat)

    assert held_certificate(tmp_path, "rs-relay").ends == AT + timedelta(days=89)


def test_a_damaged_file_is_replaced_by_the_answer(tmp_path: Path, secretariat: Secretariat) -> None:
    answer = secretariat.answer(request_certificates(tmp_path, ACCOUNTS))
    write_private(certificate_file(tmp_path, "rs-relay"), b"half a file")

    install(tmp_path, answer, secretariat)

    assert held_certificate(tmp_path, "rs-relay").name == "rs-relay"


def test_an_answer_without_a_request_is_refused(tmp_path: Path, secretariat: Secretariat) -> None:
    answer = secretariat.answer(request_certificates(tmp_path / "other", ACCOUNTS))

    with pytest.raises(RefusedError, match="no request of this node waits"):
        install(tmp_path / "certificates", answer, secretariat)


def test_a_connection_trusts_the_authorities_of_the_list_and_no_others(
    tmp_path: Path, secretariat: Secretariat
) -> None:
    install(tmp_path, secretariat.answer(request_certificates(tmp_path, ACCOUNTS)), secretariat)

    context = account_context(tmp_path, "rs-relay", authorities=[secretariat.pem], at=AT)

    assert [one["subject"] for one in context.get_ca_certs()] == [((("commonName", "see broker authority-1"),),)]
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_why_there_is_no_connection_is_one_sentence_with_a_code(tmp_path: Path, secretariat: Secretariat) -> None:
    def code(at: datetime = AT, authorities: tuple[str, ...] = (secretariat.pem,)) -> str:
        with pytest.raises(UnavailableError) as found:
            account_context(tmp_path, "rs-relay", authorities=authorities, at=at)
        return found.value.code

    assert code() == "E_CERTIFICATE_FILE"
    install(tmp_path, secretariat.answer(request_certificates(tmp_path, ACCOUNTS)), secretariat)
    assert code(authorities=()) == "E_AUTHORITY"
    assert code(at=AT + timedelta(days=90)) == "E_CERTIFICATE_EXPIRED"
    certificate_file(tmp_path, "rs-relay").chmod(0o640)
    assert code() == "E_CERTIFICATE_FILE"
    certificate_file(tmp_path, "rs-relay").chmod(0o600)
    certificate_file(tmp_path, "rs-relay").write_bytes(b"nothing of use")
    assert code() == "E_CERTIFICATE_FILE"


def test_the_index_tells_the_last_of_each_name_those_that_end_first_in_front(
    tmp_path: Path, secretariat: Secretariat
) -> None:
    index, requests = tmp_path / "index", request_certificates(tmp_path / "node", ACCOUNTS)
    relay, router = ({name: requests[name]} for name in ACCOUNTS)
    for issued in (
        secretariat.answer(relay),
        secretariat.answer(router),
        secretariat.answer(relay, at=AT + timedelta(days=60)),
    ):
        note_issued(index, issued)

    found = latest_issued(index)

    assert [(one.name, one.ends) for one in found] == [
        ("rs-router", AT + timedelta(days=90)),
        ("rs-relay", AT + timedelta(days=150)),
    ]
    assert latest_issued(tmp_path / "nowhere") == []
