"""`ncp-bridge conformance`: does somebody else's implementation keep the rules?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlsplit, urlunsplit

import typer

from bridge.cli.output import Json, emit, say, table
from bridge.core.errors import BadInputError, UnavailableError
from bridge.core.ids import prefix_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.conformance.case import Case, Result
    from bridge.core.directory import Directory
    from bridge.counterparts.line import Accounts

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.command("list")
def list_cases(as_json: Json = False) -> None:
    """Print every case with the rule that it tries."""
    from bridge.conformance.running import CASES  # noqa: PLC0415 - loads the client library

    rows = [{"id": case.id, "rule": case.rule, "sent": case.sent, "expected": case.expected} for case in CASES]
    text = table(("id", "rule", "sent", "expected"), [tuple(row.values()) for row in rows])
    emit({"cases": rows}, as_json=as_json, text=lambda: text)


@app.command()
def run(  # noqa: PLR0913 - options
    network: Annotated[Path, typer.Option(help="A file of `network export`, or a network's folder.")],
    broker: Annotated[str, typer.Option(metavar="URL", help="amqp://HOST:PORT/VHOST, without a password.")],
    implementation: Annotated[str, typer.Option(metavar="ID", help="The contact point that is tested.")],
    tester: Annotated[str, typer.Option("--as", metavar="ID", help="The contact point that tests.")],
    keys: Annotated[Path, typer.Option(help="The tester's keys: a folder, or a file with a JWK set.")],
    passwords: Annotated[Path, typer.Option(metavar="DIR", help="Has CC-relay.password and CC-router.password.")],
    machine_secret: Annotated[
        Path | None, typer.Option(help="What the key files are under; secrets/machine.key beside them by default.")
    ] = None,
    claims: Annotated[str, typer.Option(metavar='"NAME VERSION"', help="What it says it is.")] = "not said",
    only: Annotated[list[str] | None, typer.Option(metavar="CASE", help="Beside `alive`; repeat for several.")] = None,
    without: Annotated[list[str] | None, typer.Option(metavar="CASE", help="Left out; told as skipped.")] = None,
    router: Annotated[bool, typer.Option("--router", help="A router judges steps 1 to 12 there, silently.")] = False,
    answers: Annotated[bool, typer.Option("--answers", help="It acknowledges every alert by itself.")] = False,
    patient: Annotated[bool, typer.Option("--patient", help="Try what takes more than a minute too.")] = False,
    send_command: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Makes it send the alert in {file} to {to}.")
    ] = None,
    restart_command: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Kills it and starts it again.")
    ] = None,
    bound: Annotated[float, typer.Option(min=1, max=600, help="Seconds after which an answer is none.")] = 30.0,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Writes JUnit XML there.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Writes a page there.")] = None,
    as_json: Json = False,
) -> None:
    """Try an implementation; exit status 1 when it breaks a rule.

    It is sent good, bad and forged messages over the broker as a member of the network would. Use a test network.
    """
    from bridge.compose.offline import directory_in  # noqa: PLC0415 - as below
    from bridge.conformance.bench import Options  # noqa: PLC0415 - loads the client library
    from bridge.conformance.report import Report  # noqa: PLC0415 - as above
    from bridge.conformance.running import run_cases  # noqa: PLC0415 - as above
    from bridge.counterparts.identity import desk_from  # noqa: PLC0415 - as above
    from bridge.counterparts.making import Maker  # noqa: PLC0415 - as above

    directory = directory_in(network, at=datetime.now(UTC))
    other = _third(directory, implementation, tester)
    maker = Maker(desk_from(keys, tester, machine_secret=machine_secret), directory)
    options = Options(bound, router, answers, patient, send_command, restart_command)
    began = datetime.now(UTC)
    results = asyncio.run(
        run_cases(
            maker,
            target=implementation,
            other=other,
            accounts=_accounts(broker, passwords, prefix_of(tester)),
            options=options,
            cases=_chosen(only or [], without or []),
            tell=_tell,
        )
    )
    report = Report(
        implementation, claims, tester, directory.network, directory.version, began, datetime.now(UTC), results
    )
    for file, data in ((junit, report.as_junit), (html, report.as_html)):
        if file is not None:
            _write(file, data())
    told = ", ".join(f"{count} {verdict}" for verdict, count in report.counts.items())
    emit(report.as_json(), as_json=as_json, text=lambda: f"{implementation}: {told}")
    if not report.is_kept:
        raise typer.Exit(1)


def _tell(result: Result) -> None:
    say(f"{result.verdict.value:8}{result.case.id:24}{result.seconds:7.2f} s  {result.seen}")


def _chosen(only: Sequence[str], without: Sequence[str]) -> list[Case]:
    from bridge.conformance.receiving import ALIVE  # noqa: PLC0415 - as below
    from bridge.conformance.running import CASES  # noqa: PLC0415 - loads the client library

    unknown = sorted({*only, *without} - {case.id for case in CASES})
    if unknown:
        raise BadInputError("E_USAGE", f"no case {unknown[0]}; `ncp-bridge conformance list` prints them all")
    if ALIVE in without:
        raise BadInputError("E_USAGE", f"--without {ALIVE}: expected another; all others are judged behind this one")
    chosen = [case for case in CASES if not only or case.id in only]
    return [case.left_out() if case.id in without else case for case in chosen]


def _third(directory: Directory, implementation: str, tester: str) -> str:
    """Somebody in whose name it can be lied, and to whom it can be sealed."""
    now = datetime.now(UTC)
    for option, given in (("--implementation", implementation), ("--as", tester)):
        if given not in directory.contact_points:
            raise BadInputError("E_CONTACT_POINT", f"{option}: {given} is not in the membership list")
    apart = {prefix_of(implementation), prefix_of(tester)}
    for each in sorted(directory.contact_points):
        if prefix_of(each) not in apart and directory.seal_key(each, now) is not None:
            return each
    raise BadInputError("E_CONTACT_POINT", "expected a third country in the membership list, with an encryption key")


def _accounts(broker: str, passwords: Path, prefix: str) -> Accounts:
    from bridge.core.broker_names import relay_account, router_account  # noqa: PLC0415 - as below
    from bridge.counterparts.line import Accounts  # noqa: PLC0415 - loads the client library

    parts = urlsplit(broker)
    if parts.scheme not in {"amqp", "amqps"} or not parts.hostname or parts.password:
        raise BadInputError("E_USAGE", "--broker: expected amqp://HOST:PORT/VHOST or amqps://..., without a password")

    def url(account: str) -> str:
        try:
            password = (passwords / f"{account}.password").read_text("utf-8").strip()
        except OSError as error:
            raise UnavailableError("E_FILE", f"{passwords / account}.password: {error.strerror}") from None
        place = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{account}:{quote(password, safe='')}@{place}"))

    return Accounts(url(relay_account(prefix)), url(router_account(prefix)))


def _write(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise UnavailableError("E_FILE", f"{file}: {error.strerror}") from None
