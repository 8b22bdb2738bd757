"""A contact point that speaks the wire format with Node's `jose`: the Python side of `node/peer.mjs`.

Promises: the same functions as `jwcrypto_peer`, each one process of Node with a time limit; `read_each` reads many
messages in one process. Keys and messages travel over stdin and stdout only.
"""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from refused import RefusedError
from servers.node_packages import ensure_node_modules, find_node

if TYPE_CHECKING:
    from strict_text import JsonObject

Jwk = dict[str, str]

_FOLDER = Path(__file__).parent / "node"
_ANSWER_SECONDS = 60


def make_message(
    payload_fields: JsonObject,
    body: JsonObject,
    *,
    signing: tuple[str, Jwk],
    recipients: list[tuple[str, Jwk]],
) -> bytes:
    """As `jwcrypto_peer.make_message`."""
    request = {
        "command": "make",
        "payload": payload_fields,
        "body": body,
        "signing": _key(signing),
        "recipients": [_key(each) for each in recipients],
    }
    return base64.b64decode(_answered(_exchange([request])[0])["raw"])


def make_control(payload_fields: JsonObject, control: JsonObject, *, signing: tuple[str, Jwk]) -> bytes:
    """As `jwcrypto_peer.make_control`."""
    request = {"command": "make-control", "payload": payload_fields, "control": control, "signing": _key(signing)}
    return base64.b64decode(_answered(_exchange([request])[0])["raw"])


def verify(raw_bytes: bytes, *, signing_public: dict[str, Jwk]) -> JsonObject:
    """As `jwcrypto_peer.verify`."""
    payload: JsonObject = _answered(_exchange([_read_request(raw_bytes, signing_public, None)])[0])["payload"]
    return payload


def read_message(
    raw_bytes: bytes, *, signing_public: dict[str, Jwk], opening: tuple[str, Jwk]
) -> tuple[JsonObject, JsonObject]:
    """As `jwcrypto_peer.read_message`."""
    answer = _answered(_exchange([_read_request(raw_bytes, signing_public, opening)])[0])
    return answer["payload"], answer["body"]


def read_each(
    raws: list[bytes], *, signing_public: dict[str, Jwk], opening: tuple[str, Jwk] | None
) -> list[tuple[JsonObject, JsonObject | None] | RefusedError]:
    """Payload and body of each message, or its refusal, in one process of Node; without `opening` the body is None."""
    answers = _exchange([_read_request(raw_bytes, signing_public, opening) for raw_bytes in raws])
    return [
        RefusedError(answer["code"], answer["detail"]) if "code" in answer else (answer["payload"], answer["body"])
        for answer in answers
    ]


def _read_request(raw_bytes: bytes, signing_public: dict[str, Jwk], opening: tuple[str, Jwk] | None) -> JsonObject:
    return {
        "command": "read",
        "raw": base64.b64encode(raw_bytes).decode("ascii"),
        "signing": [_key(each) for each in signing_public.items()],
        "opening": None if opening is None else _key(opening),
    }


def _exchange(requests: list[JsonObject]) -> list[JsonObject]:
    ensure_node_modules(_FOLDER)
    finished = subprocess.run(  # noqa: S603 -- our own script
        [find_node().program, _FOLDER / "peer.mjs"],
        input="".join(json.dumps(request) + "\n" for request in requests),
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=_ANSWER_SECONDS,
    )
    return [json.loads(line) for line in finished.stdout.splitlines()]


def _answered(answer: JsonObject) -> JsonObject:
    if "code" in answer:
        raise RefusedError(answer["code"], answer["detail"])
    return answer


def _key(kid_and_jwk: tuple[str, Jwk]) -> JsonObject:
    kid, jwk = kid_and_jwk
    return {"kid": kid, "jwk": jwk}
