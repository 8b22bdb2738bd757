"""`ncp-bridge network certify`: the secretariat answers requests for certificates."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.certificate_words import as_table, told
from bridge.cli.network_text import ask
from bridge.cli.output import Json, emit, say
from bridge.core.errors import BadInputError, UnavailableError
from bridge.founding.certificates import Secretariat


def certify(  # noqa: PLR0913 - the command's options
    request: Annotated[
        Path, typer.Argument(metavar="REQUEST", help="From `node certificates --out` or `node enroll --out`.")
    ],
    network: Annotated[Path, typer.Option(metavar="DIR", help="The network's folder, with its authority's key.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The certificates, for whoever asked.")],
    member: Annotated[
        str | None, typer.Option(metavar="RS", help="Whose request it is: only accounts of this member are certified.")
    ] = None,
    server: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST", help="The request is a broker's, found under this name or address; once for each."
        ),
    ] = None,
    authorities: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the list's authorities: what a broker judges certificates by."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Issue without being asked: the SHA-256 was compared.")] = False,
    as_json: Json = False,
) -> None:
    """Issue the certificates that a request asks for, for 90 days: those of a member, or that of a broker.

    A request proves only that its sender has the key. What it asks for is shown with its SHA-256, which you compare
    with the member over another channel before you answer. An account that is not this member's, or suspended, refuses
    the whole request; so does a request to be admitted whose key governance has not admitted. What was issued is kept
    in DIR/certificates, and `network show` says what ends soon.
    """
    if bool(member) == bool(server):
        raise BadInputError("E_USAGE", "expected --member, or --server for a broker")
    secretariat = Secretariat.of(network)
    try:
        data = request.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        whose = member.lower() if member else "the broker"
        names = server or [one.name for one in secretariat.requests_of(whose, data)]
        say("\n".join((f"{whose} asks for certificates for", *(f"    {name}" for name in names))))
        say(f"request, SHA-256: {sha256}")
        ask(f"Has {whose} named this SHA-256 over another channel, and shall they be issued?", yes=yes)
        issued = secretariat.certify_server(data, server) if server else secretariat.certify(whose, data)
        out.write_bytes(issued.pem)
        if authorities is not None:
            authorities.write_text("".join(secretariat.directory.certificate_authorities), "ascii")
    except OSError as error:
        raise UnavailableError("E_FILE", f"{error.filename}: {error.strerror}") from None
    found = issued.certificates
    answer = {"out": str(out), "request_sha256": sha256, "certificates": told(found, secretariat.at)}
    emit(answer, as_json=as_json, text=lambda: as_table(found, secretariat.at))
