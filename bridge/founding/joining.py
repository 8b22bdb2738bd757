"""A member's request to be admitted: what its node made, as one file for the network's governance.

```
{"v": 1, "network": "see", "member": "rs",
 "contact_points": {"rs.ncp": "National contact point, Serbia"},       id -> name, as the member proposes it
 "member_key": {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "..."}},
 "publication": "...",                    JSON text: its first keys/rs.json, signed with the member key
 "proofs": {"rs.ncp#sig-2026a": "..."},   base64url: each signing key signs `proof_input`
 "certificates": {"rs-relay": "..."}}     PEM requests for certificates of its broker accounts; may be left out
```
Rules:
1. A request proves that its sender has every private key that it names: the member key by the signature on the
   publication, signing keys by their proofs. Opening keys prove themselves by the first message.
2. It proves nothing about who its sender is: governance compares the file's SHA-256 over another channel.
3. What a contact point may do is governance's to say. A request names no remit, kind, status or account.
4. The id of the member key is computed from the key, so that nobody can take another's place by its id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Key, SSlibKey
from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import Targets

from bridge.adapters.amqp.topology import account_names
from bridge.adapters.certificates.requests import read_requests
from bridge.adapters.jose.signatures import ALGORITHM, is_signature
from bridge.adapters.trust.governance.publication import Publication, read_publication
from bridge.adapters.trust.membership.documents import SEALING_ALGORITHM, keys_of
from bridge.adapters.trust.membership.forms import Id, KeysDocument, Prefix, Text, read_document
from bridge.adapters.trust.membership.roles import keys_file, member_role
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.core.directory import PublicKey
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.core.ids import KID_PATTERN, prefix_of
from bridge.core.wire import base64url, strict_json

MAX_FILE_BYTES: Final = 2 * 1024 * 1024
MAX_CONTACT_POINTS: Final = 64
CODE: Final = "E_JOIN_REQUEST"

_FORM = ConfigDict(frozen=True, strict=True, extra="forbid")


class _KeyValue(BaseModel):
    model_config = _FORM

    public: Annotated[str, Field(min_length=1, max_length=1024)]


class _MemberKey(BaseModel):
    model_config = _FORM

    keytype: Literal["ed25519", "ecdsa"]
    scheme: Literal["ed25519", "ecdsa-sha2-nistp256"]
    keyval: _KeyValue


class _File(BaseModel):
    model_config = _FORM

    v: Annotated[int, Field(ge=1, le=1)]
    network: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    member: Prefix
    contact_points: Annotated[dict[Id, Text], Field(min_length=1, max_length=MAX_CONTACT_POINTS)]
    member_key: _MemberKey
    publication: Annotated[str, Field(max_length=MAX_FILE_BYTES)]
    proofs: Annotated[dict[Annotated[str, Field(pattern=KID_PATTERN)], str], Field(max_length=1024)]
    certificates: Annotated[dict[str, Annotated[str, Field(max_length=8192)]], Field(max_length=256)] = {}


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A request whose proofs hold.

    Attributes:
        member: the prefix, `rs`.
        contact_points: id -> the name that the member proposes.
        member_key: signs this member's keys from now on.
        publication: the member's first keys, signed.
        proofs: signing key id -> its signature over `proof_input`.
        certificates: broker account -> its request for a certificate (PEM).
        sha256: of the file, in hexadecimal: to be compared over another channel.
    """

    network: str
    member: str
    contact_points: Mapping[str, str]
    member_key: Key
    publication: Publication
    proofs: Mapping[str, bytes]
    certificates: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    sha256: str = ""

    @property
    def keys(self) -> Sequence[PublicKey]:
        """The member's first keys."""
        return keys_of(read_document(KeysDocument, self.document_bytes))

    @property
    def document_bytes(self) -> bytes:
        """Its keys as it signed them."""
        return self.publication.documents[keys_file(self.member)]

    def to_bytes(self) -> bytes:
        """The file."""
        file = {
            "v": 1,
            "network": self.network,
            "member": self.member,
            "contact_points": dict(sorted(self.contact_points.items())),
            "member_key": self.member_key.to_dict(),
            "publication": self.publication.to_bytes().decode("utf-8"),
            "proofs": {kid: base64url.encode(proof) for kid, proof in sorted(self.proofs.items())},
            "certificates": dict(sorted(self.certificates.items())),
        }
        return strict_json.encode(file) + b"\n"


def proof_input(network: str, kid: str, member_key: Key, document_bytes: bytes) -> bytes:
    """What a signing key signs to prove that its owner asks; no message's signing input has a line feed."""
    digest = hashlib.sha256(document_bytes).hexdigest()
    return f"ncp-bridge-join-1\n{network}\n{kid}\n{member_key.keyid}\n{digest}".encode()


def read_request(path: Path) -> JoinRequest:
    """The request in a file, every proof in it verified.

    Raises:
        UnavailableError: the file cannot be read (`E_FILE`).
        BadInputError: it is no such file, or a proof does not hold (`E_JOIN_REQUEST`); the sentence names the member.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UnavailableError("E_FILE", f"{path}: {error.strerror}") from None
    return request_of(data)


def request_of(data: bytes) -> JoinRequest:
    """The request in a file's bytes; raises like `read_request`."""
    if len(data) > MAX_FILE_BYTES:
        raise _fault(f"larger than {MAX_FILE_BYTES} bytes")
    try:
        file = _File.model_validate(strict_json.parse_object(data))
        proofs = {kid: base64url.decode(text) for kid, text in file.proofs.items()}
    except strict_json.StrictJsonError as error:
        raise _fault(f"not strict JSON: {error.for_author}") from None
    except ValidationError as error:
        fault = error.errors()[0]
        raise _fault(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    except ValueError:
        raise _fault("proofs: one of them is not canonical base64url") from None
    publication = read_publication(file.publication.encode("utf-8"))
    key = _member_key(file.member_key)
    _check_publication(publication, file, key)
    found = JoinRequest(
        network=file.network,
        member=file.member,
        contact_points=file.contact_points,
        member_key=key,
        publication=publication,
        proofs=proofs,
        certificates=file.certificates,
        sha256=hashlib.sha256(data).hexdigest(),
    )
    _check_keys(found)
    _check_certificates(found)
    return found


def admission(found: VerifiedList, request: JoinRequest, contact_points: Iterable[str]) -> Publication:
    """The member's part of the change that admits it, to be joined with governance's.

    Args:
        found: the present list.
        request: what the member asks for.
        contact_points: the ids of all contact points from now on.

    Raises:
        RefusedError: it is for another network, names a contact point that governance does not admit, or takes a key id
            a second time (`E_JOIN_REQUEST`).
    """
    if request.network != found.network.network:
        detail = f"the request is for the network {request.network}, this one is {found.network.network}"
        raise RefusedError(CODE, detail)
    strangers = sorted(request.contact_points.keys() - set(contact_points))
    if strangers:
        detail = f"the request names {', '.join(strangers)}, which the network file does not admit"
        raise RefusedError(CODE, detail)
    used = {key.kid: key.point for key in keys_of(found.keys[request.member])} if request.member in found.keys else {}
    for key in request.keys:
        if key.kid in found.revoked or used.get(key.kid, key.point) != key.point:
            raise RefusedError(CODE, f"the request: {key.kid} was the id of another key; expected a new id")
    return request.publication


def refuse_unadmitted(found: VerifiedList, request: JoinRequest) -> None:
    """Refuses a request that governance has not admitted: anybody can make one in a member's name.

    Raises:
        RefusedError: another network's, or its member key is not the one in the list (`E_JOIN_REQUEST`).
    """
    delegations = found.targets.delegations
    role = ((delegations.roles if delegations else None) or {}).get(member_role(request.member))
    if request.network != found.network.network or role is None or request.member_key.keyid not in role.keyids:
        key = request.member_key.keyid
        raise RefusedError(CODE, f"the request: the list does not have its key {key} as the one of {request.member}")


def _member_key(form: _MemberKey) -> Key:
    public = form.keyval.public
    try:
        key = SSlibKey.from_crypto(
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
            if form.keytype == "ed25519"
            else load_pem_public_key(public.encode("utf-8"))
        )
    except (ValueError, UnsupportedAlgorithm):
        raise _fault(f"member_key: not a public key of type {form.keytype}") from None
    if key.to_dict() != form.model_dump():  # one text for one key, and P-256 where it is ecdsa
        raise _fault("member_key: expected Ed25519 in hexadecimal, or ECDSA on P-256 in PEM, in its usual form")
    return key


def _check_publication(publication: Publication, file: _File, key: Key) -> None:
    role, target = member_role(file.member), keys_file(file.member)
    if publication.network != file.network:
        raise _fault(f"publication: it is of {publication.network}, expected {file.network}")
    if publication.metadata.keys() != {role} or publication.documents.keys() != {target}:
        raise _fault(f"publication: expected {role} and {target}, and nothing else")
    metadata, data = publication.metadata[role], publication.documents[target]
    signed: Targets = metadata.signed
    signature = metadata.signatures.get(key.keyid)
    if signature is None or len(metadata.signatures) != 1:
        raise _fault(f"publication: expected one signature, of the member key {key.keyid}")
    try:
        key.verify_signature(signature, metadata.signed_bytes)
        if signed.targets.keys() != {target} or signed.delegations is not None:
            raise _fault(f"publication: expected {role} to speak of {target} and nothing else")
        signed.targets[target].verify_length_and_hashes(data)
    except (UnverifiedSignatureError, VerificationError):
        raise _fault("publication: the signature of the member key does not hold") from None
    except LengthOrHashMismatchError:
        raise _fault(f"publication: {target} is not what was signed") from None


def _check_keys(request: JoinRequest) -> None:
    document = read_document(KeysDocument, request.document_bytes)
    if document.member != request.member or document.contact_points.keys() != request.contact_points.keys():
        raise _fault(f"publication: the keys are expected to be those of {', '.join(sorted(request.contact_points))}")
    strangers = [identifier for identifier in request.contact_points if prefix_of(identifier) != request.member]
    if strangers:
        raise _fault(f"contact_points: {strangers[0]} is not of {request.member}")
    keys = keys_of(document)
    signing = [key for key in keys if key.alg == ALGORITHM]
    for identifier, own in document.contact_points.items():
        if {key.alg for key in own} != {ALGORITHM, SEALING_ALGORITHM}:
            raise _fault(f"publication: {identifier}: expected a signing key and an encryption key")
    if any(key.revoked_at is not None for key in keys):
        raise _fault("publication: one of the keys is revoked already")
    if request.proofs.keys() != {key.kid for key in signing}:
        raise _fault("proofs: expected one for each signing key, and nothing else")
    for key in signing:
        signing_input = proof_input(request.network, key.kid, request.member_key, request.document_bytes)
        if not is_signature(key, signing_input=signing_input, signature_bytes=request.proofs[key.kid]):
            raise _fault(f"proofs: the signature of {key.kid} does not hold")


def _check_certificates(request: JoinRequest) -> None:
    accounts = account_names(request.member, list(request.contact_points))
    for account, pem in request.certificates.items():
        if account not in accounts:
            raise _fault(f"certificates: {account[:64]} is no account of {request.member}")
        asked = [one.name for one in read_requests(pem.encode("utf-8"))]
        if asked != [account]:
            raise _fault(f"certificates: expected one request for {account}, found {', '.join(asked)[:200]}")


def _fault(detail: str) -> BadInputError:
    return BadInputError(CODE, f"the request to join: {detail}")
