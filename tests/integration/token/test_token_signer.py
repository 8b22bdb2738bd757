"""Keys of a network's roles on tokens: python-tuf signs and verifies with them beside keys in files."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Signer
from servers.softhsm_fixtures import MakeToken
from tuf.api.metadata import Metadata, Root

from bridge.adapters.token import signer_on_token
from bridge.adapters.trust.governance.ceremony_keys import GOVERNANCE, load_signers, make_keys
from bridge.core.errors import RefusedError, UnavailableError
from broker.soft_tokens import SoftToken

LABEL = "governance-1"


def signer_on(token: SoftToken, key: str = LABEL, *, make: bool = False) -> Signer:
    place = token.place
    return signer_on_token(key, module=place.module, label=place.label, pin_file=place.pin_file, make=make)


def test_a_signature_of_the_token_verifies_and_no_other(token: SoftToken) -> None:
    # given
    made = signer_on(token, make=True)
    signer = signer_on(token)
    # when
    signature = signer.sign(b"metadata")
    # then
    assert signer.public_key == made.public_key
    assert (signer.public_key.keytype, signer.public_key.scheme) == ("ecdsa", "ecdsa-sha2-nistp256")
    signer.public_key.verify_signature(signature, b"metadata")
    with pytest.raises(UnverifiedSignatureError):
        signer.public_key.verify_signature(signature, b"other metadata")


def test_two_of_three_sign_a_root_wherever_their_keys_are(
    make_token: MakeToken, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # given
    tokens = [signer_on(make_token(), make=True) for _ in range(2)]
    folder = tmp_path_factory.mktemp("ceremony")
    make_keys(folder, {GOVERNANCE: 1})
    (file,) = load_signers(folder.glob("*.pem"))
    root = Root(expires=datetime(2099, 1, 1, tzinfo=UTC))
    for signer in (*tokens, file):
        root.add_key(signer.public_key, "root")
    root.roles["root"].threshold = 2
    for pair in ([tokens[0], file], tokens):
        signed = Metadata(root)
        # when
        for signer in pair:
            signed.sign(signer, append=True)
        # then
        read_again = Metadata[Root].from_bytes(signed.to_bytes())
        assert read_again.signed.get_verification_result("root", read_again.signed_bytes, read_again.signatures)


def test_no_second_key_is_made_under_a_label_and_none_found_under_another(token: SoftToken) -> None:
    signer_on(token, make=True)
    with pytest.raises(RefusedError, match="holds a key labelled governance-1 already"):
        signer_on(token, make=True)
    with pytest.raises(UnavailableError) as missing:
        signer_on(token, "governance-2")
    assert missing.value.code == "E_TOKEN_KEY"
