"""`ncp-bridge network certify`: the secretariat answers requests for certificates."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.certificate_words import as_table, told
from bridge.cli.output import Json, emit
from bridge.core.errors import UnavailableError
from bridge.founding.certificates import Secretariat, requests_in


def certify(
    request: Annotated[
        Path, typer.Argument(metavar="REQUEST", help="From `node certificates --out` or `node enroll --out`.")
    ],
    network: Annotated[Path, typer.Option(metavar="DIR", help="The network's folder, with its authority's key.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The certificates, for whoever asked.")],
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
    as_json: Json = False,
) -> None:
    """Issue the certificates that a request asks for: for accounts of members that are not suspended, for 90 days.

    A request proves only that its sender has the key. Compare its SHA-256 with the member over another channel first.
    What was issued is kept in DIR/certificates, and `network show` says what ends soon.
    """
    secretariat = Secretariat.of(network)
    try:
        data = request.read_bytes()
        asked = requests_in(data)
        issued = secretariat.certify_server(asked, server) if server else secretariat.certify(asked)
        out.write_bytes(issued.pem)
        if authorities is not None:
            authorities.write_text("".join(secretariat.directory.certificate_authorities), "ascii")
    except OSError as error:
        raise UnavailableError("E_FILE", f"{error.filename}: {error.strerror}") from None
    sha256, found = hashlib.sha256(data).hexdigest(), issued.certificates
    answer = {"out": str(out), "request_sha256": sha256, "certificates": told(found, secretariat.at)}
    text = f"request, SHA-256: {sha256}\n\n{as_table(found, secretariat.at)}"
    emit(answer, as_json=as_json, text=lambda: text)
