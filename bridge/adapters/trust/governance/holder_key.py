"""The key of one holder of a signing role: a private file of its own, and a public one to be handed over.

`FILE` is PEM, or PKCS#12 where a passphrase protects it; `FILE.pub` is `{"v": 1, "holder": NAME, "public_key": PEM}`.

Rules:
1. The private file is its owner's alone and never written over. A passphrase is stretched 600,000 times.
2. The id of a key is computed from the key, here and wherever a publication is looked at: one key under two ids would
   count as two signatures.
3. The holder's name stands beside the key in what governance signs; nothing else may stand there.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
    pkcs12,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

from bridge.adapters.trust.membership.mirror import read_bounded
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.core.wire import strict_json
from bridge.private_files import read_private, write_private

HOLDER: Final = "holder"
CODE: Final = "E_HOLDER_KEY"
STRETCHED: Final = 600_000  # OWASP's figure for PBKDF2 with SHA-256
NAME_PATTERN: Final = r"^[^\x00-\x1f\x7f\"]{1,80}$"
NAME_EXPECTED: Final = "expected 1 to 80 characters on one line, none of them a double quotation mark"
_PEM: Final = b"-----BEGIN "


class _PublicFile(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    v: Annotated[int, Field(ge=1, le=1)]
    holder: Annotated[str, Field(pattern=NAME_PATTERN)]
    public_key: Annotated[str, Field(max_length=1024)]


def public_file(path: Path) -> Path:
    """Where the public key of a private key file is: `alice.key.pub`."""
    return path.with_name(f"{path.name}.pub")


def make_holder_key(path: Path, holder: str, *, passphrase: bytes | None) -> Key:
    """Makes both files of a holder's key, and answers the public key.

    Raises:
        BadInputError: the name is empty, too long, or no text for one line (`E_HOLDER_KEY`).
        RefusedError: one of the files is there already (`E_KEY_EXISTS`).
        UnavailableError: they cannot be written (`E_KEY_FILE`).
    """
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
    return write_holder_key(path, _protected(private, passphrase), holder=holder, public=public)


def write_holder_key(path: Path, private_bytes: bytes, *, holder: str, public: str) -> Key:
    """Writes both files of a holder's key, and answers the public key; raises like `make_holder_key`.

    Args:
        path: of the private file.
        private_bytes: what stands in it: the key, or where it is.
        holder: the holder's name.
        public: the public key, PEM.
    """
    data = strict_json.encode({"v": 1, "holder": holder, "public_key": public}) + b"\n"
    key = _public_key(data, "--holder")
    there = [file for file in (path, public_file(path)) if file.exists()]
    if there:
        raise RefusedError("E_KEY_EXISTS", f"{there[0]} is there already; nothing was changed")
    try:
        write_private(path, private_bytes)
        with public_file(path).open("xb") as file:
            file.write(data)
    except OSError as error:
        raise UnavailableError("E_KEY_FILE", f"{error.filename}: {error.strerror}") from None
    return key


def is_protected(path: Path) -> bool:
    """Whether a private key file opens with a passphrase only; raises like `load_holder_key`."""
    return not read_private(path).startswith(_PEM)


def load_holder_key(path: Path, *, passphrase: bytes | None) -> CryptoSigner:
    """The signer of a holder's private key file.

    Raises:
        UnavailableError: it is missing, readable by others, no key of ours, or does not open (`E_KEY_FILE`).
    """
    data = read_private(path)
    try:
        private = (
            load_pem_private_key(data, None)
            if data.startswith(_PEM)
            else pkcs12.load_key_and_certificates(data, passphrase)[0]
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        how = "with this passphrase" if passphrase else "without a passphrase"
        raise UnavailableError("E_KEY_FILE", f"{path} does not open {how}") from None
    if private is None or not _is_ours(private):
        raise UnavailableError("E_KEY_FILE", f"{path} holds no Ed25519 or P-256 key")
    return CryptoSigner(private)


def read_public_key(path: Path) -> Key:
    """The public key of a holder, with the holder's name.

    Raises:
        BadInputError: it is no such file (`E_HOLDER_KEY`).
        UnavailableError: it cannot be read (`E_FILE`).
    """
    try:
        data = read_bounded(path)
    except OSError as error:
        raise UnavailableError("E_FILE", f"{path}: {error.strerror}") from None
    return _public_key(data, str(path))


def holder_of(key: Key) -> str:
    """Who holds a key: the name beside it, or the beginning of its id where it was founded without names."""
    return str(key.unrecognized_fields.get(HOLDER) or f"key {key.keyid[:8]}")


def check_key(key: Key) -> None:
    """Whether a key in a publication is what it says.

    Raises:
        RefusedError: its id is not the one computed from it, or more than a name stands beside it (`E_PUBLICATION`).
    """
    public = str(key.keyval["public"])
    try:
        expected = SSlibKey.from_crypto(
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
            if key.keytype == "ed25519"
            else load_pem_public_key(public.encode("utf-8"))
        )
    except (ValueError, UnsupportedAlgorithm):
        raise RefusedError("E_PUBLICATION", f"key {key.keyid[:8]}: found no public key of a known form") from None
    said = key.to_dict()
    name = said.pop(HOLDER, "")
    if key.keyid != expected.keyid or said != expected.to_dict() or not isinstance(name, str):
        detail = f"key {key.keyid[:8]}: expected the id computed from it, and nothing beside it but a holder's name"
        raise RefusedError("E_PUBLICATION", detail)


def check_holders(keys: Iterable[Key]) -> None:
    """Raises `BadInputError` (`E_HOLDER_KEY`) where a key or a name stands twice among the holders of one role."""
    names, keyids = set[str](), set[str]()
    for key in keys:
        name = holder_of(key)
        if name in names or key.keyid in keyids:
            what = f"the name {name}" if name in names else f"the key of {name}"
            raise BadInputError(CODE, f"holders: found {what} twice, expected another key for every holder")
        names.add(name)
        keyids.add(key.keyid)


def _public_key(data: bytes, where: str) -> Key:
    try:
        file = _PublicFile.model_validate(strict_json.parse_object(data))
        public = load_pem_public_key(file.public_key.encode("utf-8"))
    except strict_json.StrictJsonError as error:
        raise BadInputError(CODE, f"{where} is not strict JSON: {error.for_author}") from None
    except ValidationError as error:
        fault = error.errors()[0]
        expected = NAME_EXPECTED if fault["type"] == "string_pattern_mismatch" else fault["msg"]
        raise BadInputError(CODE, f"{where}: {'.'.join(map(str, fault['loc']))}: {expected}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadInputError(CODE, f"{where}: public_key: found no public key, expected one in PEM") from None
    if not _is_ours(public):
        raise BadInputError(CODE, f"{where}: public_key: found another kind of key, expected Ed25519 or P-256")
    key = SSlibKey.from_crypto(public)
    key.unrecognized_fields[HOLDER] = file.holder
    return key


def _is_ours(key: object) -> bool:
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return isinstance(key.curve, ec.SECP256R1)
    return isinstance(key, Ed25519PrivateKey | Ed25519PublicKey)


def _protected(private: Ed25519PrivateKey, passphrase: bytes | None) -> bytes:
    if passphrase is None:
        return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(STRETCHED)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(passphrase)
    )
    return pkcs12.serialize_key_and_certificates(b"holder", private, None, None, encryption)
