"""What is to be published: signed, or still to be signed, metadata of some roles and the documents that it speaks of.

A publication travels as one file between those who sign it and the secretariat, and gathers signatures on the way. It
is never trusted for having arrived: whoever signs reads it against the present list, and publishing verifies it all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from securesystemslib.signer import Signer
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Targets, VerificationResult

from bridge.adapters.trust.membership.forms import MAX_DOCUMENT_BYTES
from bridge.adapters.trust.membership.roles import ROLE_PATTERN, ROOT, TARGETS
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.wire import strict_json

MAX_FILE_BYTES: Final = 16 * 1024 * 1024
CODE: Final = "E_PUBLICATION"

Signed = Metadata[Any]


_Role = Annotated[str, Field(pattern=rf"^{ROLE_PATTERN}$")]
_Metadata = Annotated[str, Field(max_length=4 * MAX_DOCUMENT_BYTES)]
_Target = Annotated[str, Field(pattern=r"^[a-z0-9./-]{1,80}$")]
_Document = Annotated[str, Field(max_length=MAX_DOCUMENT_BYTES)]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    v: Annotated[int, Field(ge=1, le=1)]
    network: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    metadata: Annotated[dict[_Role, _Metadata], Field(min_length=1, max_length=512)]
    documents: Annotated[dict[_Target, _Document], Field(max_length=8192)]


@dataclass(frozen=True, slots=True)
class Publication:
    """One change of a network.

    Attributes:
        network: the network's name.
        metadata: role -> its new metadata with the signatures that it has so far.
        documents: target -> its bytes, for each document that is new.
    """

    network: str
    metadata: Mapping[str, Signed]
    documents: Mapping[str, bytes] = field(default_factory=dict)

    def signed_by(self, signers: Iterable[Signer], keyids: Mapping[str, Iterable[str]]) -> Publication:
        """With the signatures of those signers whose keys a role has; `keyids` names the keys of each role."""
        by_keyid = {signer.public_key.keyid: signer for signer in signers}
        for role, metadata in self.metadata.items():
            for keyid in keyids.get(role, ()):
                if keyid in by_keyid and keyid not in metadata.signatures:
                    metadata.sign(by_keyid[keyid], append=True)
        return self

    def joined_with(self, other: Publication) -> Publication:
        """Both as one: signatures of the same metadata are put together.

        Raises:
            RefusedError: the two say different things (`E_PUBLICATION`).
        """
        if self.network != other.network:
            raise RefusedError(CODE, f"one publication is of {self.network}, the other of {other.network}")
        metadata = dict(self.metadata)
        for role, theirs in other.metadata.items():
            ours = metadata.setdefault(role, theirs)
            if ours.signed_bytes != theirs.signed_bytes:
                raise RefusedError(CODE, f"the publications differ in what {role} says; sign copies of one file")
            for keyid, signature in theirs.signatures.items():
                ours.signatures.setdefault(keyid, signature)
        documents = dict(self.documents)
        for target, data in other.documents.items():
            if documents.setdefault(target, data) != data:
                raise RefusedError(CODE, f"the publications differ in {target}; sign copies of one file")
        return Publication(self.network, metadata, documents)

    def verified_only(self, found: VerifiedList | None) -> Publication:
        """Without the signatures that do not hold, lest they stand in the place of those that do."""
        for role, results in signatures(self, found).items():
            signed = {keyid for result in results for keyid in result.signed}
            self.metadata[role].signatures = {
                keyid: signature for keyid, signature in self.metadata[role].signatures.items() if keyid in signed
            }
        return self

    def to_bytes(self) -> bytes:
        """The file."""
        file = {
            "v": 1,
            "network": self.network,
            "metadata": {role: metadata.to_bytes().decode("utf-8") for role, metadata in sorted(self.metadata.items())},
            "documents": {target: data.decode("utf-8") for target, data in sorted(self.documents.items())},
        }
        return strict_json.encode(file) + b"\n"


def read_publication(data: bytes) -> Publication:
    """A publication from a file's bytes; nothing in it is verified.

    Raises:
        BadInputError: it is no such file (`E_PUBLICATION`).
    """
    if len(data) > MAX_FILE_BYTES:
        raise BadInputError(CODE, f"a publication is larger than {MAX_FILE_BYTES} bytes")
    try:
        file = _File.model_validate(strict_json.parse_object(data))
        metadata = {role: _metadata(text.encode("utf-8")) for role, text in file.metadata.items()}
    except strict_json.StrictJsonError as error:
        raise BadInputError(CODE, f"a publication is not strict JSON: {error.for_author}") from None
    except ValidationError as error:
        fault = error.errors()[0]
        raise BadInputError(CODE, f"a publication: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    except RepositoryError as error:
        raise BadInputError(CODE, f"a publication: {str(error).removesuffix('.')}") from None
    for role, one in metadata.items():
        expected = Root if role == ROOT else Targets
        if not isinstance(one.signed, expected):
            raise BadInputError(CODE, f"a publication: found {one.signed.type} for {role}, expected {expected.type}")
    documents = {target: text.encode("utf-8") for target, text in file.documents.items()}
    return Publication(file.network, metadata, documents)


def _metadata(data: bytes) -> Signed:
    strict_json.parse_object(data)  # python-tuf's own reading knows no bounds, and takes floats that nobody can sign
    return Metadata.from_bytes(data)


def joined(publications: Sequence[Publication]) -> Publication:
    """Several publications as one; raises like `joined_with`."""
    whole, *others = publications
    for other in others:
        whole = whole.joined_with(other)
    return whole


def signatures(publication: Publication, found: VerifiedList | None) -> Mapping[str, Sequence[VerificationResult]]:
    """Role -> who has signed it and who has not, of those who speak for it; a new root's by the old one first.

    Args:
        publication: starts from `found`.
        found: the list before; `None` where a network is founded.

    Raises:
        RefusedError: nobody speaks for a role, or it is not the next version (`E_PUBLICATION`).
    """
    root, targets = root_and_targets(publication, found)
    delegated = (targets.delegations.roles if targets.delegations else None) or {}
    results: dict[str, Sequence[VerificationResult]] = {}
    for role, metadata in publication.metadata.items():
        _check_version(role, metadata.signed.version, found)
        signed_bytes, made = metadata.signed_bytes, metadata.signatures
        if role == ROOT:
            both = root.get_root_verification_result(found.root if found else None, signed_bytes, made)
            results[role] = (both.first, both.second) if found else (both.second,)
        elif role == TARGETS:
            results[role] = (root.get_verification_result(role, signed_bytes, made),)
        elif role in delegated:
            results[role] = (targets.get_verification_result(role, signed_bytes, made),)
        else:
            raise RefusedError(CODE, f"{role}: nobody speaks for it in this network")
    return results


def keyids_of(results: Mapping[str, Sequence[VerificationResult]]) -> Mapping[str, Sequence[str]]:
    """Role -> ids of the keys whose signatures count."""
    return {
        role: [keyid for result in of_role for keyid in (*result.signed, *result.unsigned)]
        for role, of_role in results.items()
    }


def root_and_targets(publication: Publication, found: VerifiedList | None) -> tuple[Root, Targets]:
    """Root and targets as they are once it is published; `found` is the list before.

    Raises:
        RefusedError: a first publication without them (`E_PUBLICATION`).
    """
    new = publication.metadata
    if found is None and not {ROOT, TARGETS} <= new.keys():
        raise RefusedError(CODE, "a network is founded with root and targets")
    root: Root = found.root if found and ROOT not in new else new[ROOT].signed
    targets: Targets = found.targets if found and TARGETS not in new else new[TARGETS].signed
    return root, targets


def _check_version(role: str, version: int, found: VerifiedList | None) -> None:
    if found is None:
        last = 0
    elif role == ROOT:
        last = found.root.version
    else:
        meta = found.snapshot.meta.get(f"{role}.json")
        last = 0 if meta is None else meta.version
    if version != last + 1:
        detail = f"{role}: found version {version}, expected {last + 1}; it was made from another list, make it anew"
        raise RefusedError(CODE, detail)
