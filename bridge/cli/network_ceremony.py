"""`ncp-bridge network key|propose|explain|sign|publish`: how people sign for a network, by files between machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.network_show import state_data
from bridge.cli.network_text import ask, change_data, change_text, progress
from bridge.cli.output import Json, emit, say
from bridge.cli.passphrases import PassphraseFile, new_passphrase, passphrase_of
from bridge.cli.token_options import TokenLabel, TokenModule, TokenPinFile, token_of
from bridge.core.errors import BadInputError
from bridge.founding import ceremony
from bridge.founding.holders import make_key, open_keys
from bridge.founding.network import write_publication
from bridge.founding.proposing import Wishes
from bridge.founding.proposing import propose as make_proposal

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The network's folder.")]
Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Copies signed by different holders, or several.")]
Mirror = Annotated[
    Path | None, typer.Option(metavar="DIR", help="The network's folder, or a copy of its mirror. Founding needs none.")
]
PinnedRoot = Annotated[
    Path | None,
    typer.Option("--root", metavar="FILE", help="Where trust begins. Default: the mirror's own first root."),
]
Keys = Annotated[list[Path], typer.Option("--key", metavar="KEY", help="A holder's private key file; may be repeated.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def key(  # noqa: PLR0913 - the command's options
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The private key; FILE.pub is the public one.")],
    holder: Annotated[str, typer.Option(metavar="NAME", help="Whose it is, as the other signers know them.")],
    passphrase_file: PassphraseFile = None,
    protect: Annotated[bool, typer.Option("--protect", help="Ask for a passphrase on the terminal.")] = False,
    token_module: TokenModule = None,
    token_label: TokenLabel = None,
    token_pin_file: TokenPinFile = None,
    as_json: Json = False,
) -> None:
    """Make a holder's key: FILE stays with its holder, FILE.pub goes to whoever writes the network file.

    On a token the key is made there, and FILE says only where; it is used like any other. The key's id is shown:
    compare it over another channel with what others see.
    """
    token = token_of(token_module, token_label, token_pin_file)
    if token is not None and (protect or passphrase_file is not None):
        raise BadInputError("E_TOKEN_OPTIONS", "a key on a token is protected by its PIN; expected no passphrase")
    passphrase = new_passphrase(passphrase_file, ask=protect)
    keyid, public = make_key(file, holder, passphrase=passphrase, token=token)
    data = {"holder": holder, "key": keyid, "private": str(file), "public": str(public)}
    emit(data, as_json=as_json, text=lambda: f"key {keyid} of {holder}\nhand over {public}, keep {file}")


def propose(  # noqa: PLR0913 - the command's options
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The network's folder, or a copy of its mirror.")],
    file: Annotated[Path, typer.Option("--config", metavar="FILE", help="The network file, as it is to be.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the change is written, to be signed.")],
    remove: Annotated[
        list[str] | None, typer.Option(metavar="CC", help="A member that leaves; may be repeated.")
    ] = None,
    reinstate: Annotated[
        list[str] | None, typer.Option(metavar="WHO", help="A suspended member or contact point; may be repeated.")
    ] = None,
    admit: Annotated[
        list[Path] | None, typer.Option(metavar="REQUEST", help="A `node enroll` request; may be repeated.")
    ] = None,
    online: Annotated[bool, typer.Option("--online", help="New online keys, made in DIR/keys.")] = False,
    authority: Annotated[
        bool, typer.Option("--authority", help="A new certificate authority beside those before; its key in DIR/keys.")
    ] = False,
    withdraw_authority: Annotated[
        list[str] | None,
        typer.Option(metavar="SHA256", help="An authority that counts no more; may be repeated."),
    ] = None,
    take_back: Annotated[
        list[str] | None,
        typer.Option(metavar="WHAT", help="What a replaced holder had stopped: a key, who; may be repeated."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write down a change for governance to sign: from the present list to what the network file says.

    Other holders or another threshold in the file change the root as well; both the old and the new governance sign it.
    """
    wishes = Wishes(
        remove=remove or (),
        reinstate=reinstate or (),
        admit=admit or (),
        online=online,
        authority=authority,
        withdraw=withdraw_authority or (),
        take_back=take_back or (),
    )
    write_publication(out, make_proposal(folder, file, wishes))
    travelling = ceremony.receive([out], folder)
    emit({**change_data(travelling), "publication": str(out)}, as_json=as_json, text=lambda: change_text(travelling))
    if remove and not as_json:
        say(f"take {', '.join(remove)} out of {file} too, or the next change proposes to admit them again")
    if not as_json:
        say(f"next: ncp-bridge network sign {out} --key KEY --mirror DIR, by each of those who sign")


def explain(files: Files, mirror: Mirror = None, root: PinnedRoot = None, as_json: Json = False) -> None:
    """Show in words what a change would do, and who has signed it; sign nothing."""
    travelling = ceremony.receive(files, mirror, root=root)
    emit(change_data(travelling), as_json=as_json, text=lambda: change_text(travelling))


def sign(  # noqa: PLR0913 - the command's options
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The change.")],
    keys: Keys,
    mirror: Mirror = None,
    root: PinnedRoot = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where it is written. Default: FILE.")] = None,
    passphrase_file: PassphraseFile = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Show in words what changes, ask, and add a holder's signature.

    The words come from comparing the change with the list in the mirror; what they do not show cannot be in it.
    """
    travelling = ceremony.receive([file], mirror, root=root)
    signers = open_keys(keys, passphrase_of(passphrase_file))
    names = "; ".join(ceremony.names_of(travelling, signers))
    say(change_text(travelling))
    ask(f"Sign this as {names}?", yes=yes)
    signed = ceremony.sign(travelling, signers)
    target = out or file
    write_publication(target, signed.publication)
    data = {**change_data(signed), "signed_by": names, "publication": str(target)}
    emit(data, as_json=as_json, text=lambda: f"signed by {names}: {target}; {progress(signed)}")


def publish(folder: Folder, files: Files, as_json: Json = False) -> None:
    """Publish what is signed: a change of governance's, a member's keys, a revocation, or a network's founding."""
    travelling = ceremony.receive(files, folder)
    state = ceremony.publish(folder, travelling.publication)
    data = {**state_data(state, now=state.directory.signed_at), "changes": change_data(travelling)["changes"]}
    version = state.directory.version
    emit(data, as_json=as_json, text=lambda: f"{change_text(travelling)}\n\npublished as version {version}")
