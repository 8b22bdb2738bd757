"""Private P-256 keys in a file as a JWK set (RFC 7517), as implementations in other languages keep them.

A file that others can read is refused, unless the set says of itself that its keys are for tests.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from bridge.adapters.jose.private_keys import CODE, CURVE, PrivateKeys
from bridge.core.errors import BadInputError, UnavailableError
from bridge.core.ids import is_kid
from bridge.core.wire import base64url, strict_json
from bridge.private_files import read_private

TEST: Final = "test"
MAX_BYTES: Final = 256 * 1024


def read_jwk_set(path: Path) -> PrivateKeys:
    """The private keys in a file: `{"keys": [{"kty": "EC", "crv": "P-256", "kid", "x", "y", "d"}, ...]}`.

    Raises:
        UnavailableError: it cannot be read, or others can read it and it does not say `"test": true` (`E_KEY_FILE`).
        BadInputError: it is no such set (`E_KEY_FILE`).
    """
    try:
        size = path.stat().st_size
        members = strict_json.parse_object(path.read_bytes()) if size <= MAX_BYTES else {}
    except OSError as error:
        raise UnavailableError(CODE, f"{path}: {error.strerror}") from None
    except strict_json.StrictJsonError as error:
        raise BadInputError(CODE, f"{path}: {error.for_author}") from None
    if members.get(TEST) is not True:
        read_private(path)
    listed = members.get("keys")
    if not isinstance(listed, list):
        raise BadInputError(CODE, f"{path}: $.keys: expected a list of keys, in at most {MAX_BYTES} bytes")
    return PrivateKeys(dict(_key(entry, f"{path}: $.keys[{index}]") for index, entry in enumerate(listed)))


def _key(entry: object, at: str) -> tuple[str, ec.EllipticCurvePrivateKey]:
    if not isinstance(entry, dict) or (entry.get("kty"), entry.get("crv")) != ("EC", "P-256"):
        raise BadInputError(CODE, f"{at}: expected a key on P-256")
    kid = entry.get("kid")
    if not isinstance(kid, str) or not is_kid(kid):
        raise BadInputError(CODE, f"{at}.kid: expected a key id like rs.ncp#sig-1")
    try:
        number, x, y = (base64url.decode(str(entry.get(name))) for name in ("d", "x", "y"))
        key = ec.derive_private_key(int.from_bytes(number, "big"), CURVE)
    except ValueError:
        raise BadInputError(CODE, f"{at}: expected x, y and d as base64url") from None
    public = key.public_key().public_numbers()
    if (int.from_bytes(x, "big"), int.from_bytes(y, "big")) != (public.x, public.y):
        raise BadInputError(CODE, f"{at}: found x and y that are not those of d")
    return kid, key
