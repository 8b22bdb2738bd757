"""`ncp-bridge network revoke|suspend`: the revocation role, which can stop and never start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.network_show import state_data
from bridge.cli.network_text import ask, change_data, change_text
from bridge.cli.output import Json, emit, say
from bridge.cli.passphrases import PassphraseFile, passphrase_of
from bridge.core.privacy import find_personal_data
from bridge.founding import ceremony, revoking
from bridge.founding.holders import open_keys
from bridge.founding.network import write_publication

Place = Annotated[
    Path, typer.Argument(metavar="DIR", help="The network's folder; with --out a copy of its mirror, too.")
]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Every member reads it: no names, no details of a case.")]
Keys = Annotated[
    list[Path] | None,
    typer.Option("--key", metavar="KEY", help="The private key of a holder of the role. Default: those in DIR/keys."),
]
Out = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the signed change to be published elsewhere, or signed on.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def revoke(  # noqa: PLR0913 - the command's options
    folder: Place,
    what: Annotated[list[str], typer.Argument(metavar="KID...", help="A key, or a contact point: all keys it has.")],
    reason: Reason,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    out: Out = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Revoke keys: show what will happen, ask, sign, publish. Nothing under them is accepted from then on.

    It cannot be taken back; the member publishes new keys (`keys roll`).
    """
    travelling = revoking.revoke(folder, what, reason=reason)
    _carry_out(folder, travelling, keys, passphrase_file, reason, out=out, yes=yes, as_json=as_json)


def suspend(  # noqa: PLR0913 - the command's options
    folder: Place,
    who: Annotated[list[str], typer.Argument(metavar="WHO...", help="A member (RS) or a contact point (rs.ncp).")],
    reason: Reason,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    out: Out = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Suspend members or contact points: show what will happen, ask, sign, publish. Nobody hears or tells them more.

    Governance alone takes it back (`network propose --reinstate`).
    """
    travelling = revoking.suspend(folder, who, reason=reason)
    _carry_out(folder, travelling, keys, passphrase_file, reason, out=out, yes=yes, as_json=as_json)


def _carry_out(  # noqa: PLR0913 - what the two commands share are their options
    folder: Path,
    travelling: ceremony.Travelling,
    keys: list[Path] | None,
    passphrase_file: Path | None,
    reason: str,
    *,
    out: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    signers = open_keys(keys, passphrase_of(passphrase_file)) if keys else revoking.keys_here(folder)
    names = "; ".join(ceremony.names_of(travelling, signers))
    say(change_text(travelling))
    for finding in find_personal_data({"note": reason}):
        say(f"something in the reason looks like {finding.what}; every member reads it")
    ask(f"Sign this as {names} and {'write it down' if out else 'publish it'}?", yes=yes)
    signed = ceremony.sign(travelling, signers)
    if out is not None:
        write_publication(out, signed.publication)
        data = {**change_data(signed), "signed_by": names, "publication": str(out)}
        emit(
            data, as_json=as_json, text=lambda: f"signed by {names}: {out}; next: ncp-bridge network publish DIR {out}"
        )
        return
    state = ceremony.publish(folder, signed.publication)
    data = {**state_data(state, now=state.directory.signed_at), "changes": change_data(signed)["changes"]}
    emit(data, as_json=as_json, text=lambda: f"published as version {state.directory.version}")
