"""`verify`: checks a bundle alone, for anybody who has one."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from bot.commands.count import print_result
from bot.commands.spoken import check_name, said, said_problem, text
from bot.commands.terminal import OUT, AsJson, error_line, print_json, print_table, stages_bar


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The bundle, with or without a result.")],
    key: Annotated[
        str | None, typer.Option(metavar="FINGERPRINT", help="The fingerprint that was published before the vote.")
    ] = None,
    head: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A head that was kept (`ballotline head --json`).")
    ] = None,
    poll: Annotated[str | None, typer.Option("--poll", metavar="ID", help="The poll that it must be.")] = None,
    receipt: Annotated[str | None, typer.Option(metavar="MARK", help="Look for the ballot with this mark.")] = None,
    codes: Annotated[
        bool, typer.Option("--codes", help="Ask for your two codes, and look for the mark under them alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check a bundle alone: no database, no secret, no network.

    Example: ballotline verify result --key ABCD-EFGH-JKMN-PQRS --receipt 2345-6789-ABCD-EFGH
    """
    from voting.verify.verify import Asked, WorkerEnded
    from voting.verify.verify import verify as verify_bundle

    if codes and receipt is None:
        raise typer.BadParameter("--codes needs --receipt, the mark to look for")
    asked = Asked(key, head, poll, receipt, _ask_codes() if codes else None)
    try:
        with stages_bar(quiet=as_json) as progress:
            report = verify_bundle(
                folder,
                asked=asked,
                progress=lambda done, ballots: progress(text("commands", "verify.progress"), done, ballots),
            )
    except WorkerEnded as ended:
        error_line(said(str(ended)))
        raise typer.Exit(1) from ended
    if as_json:
        print_json(_facts(report))
    else:
        _print_report(report, published=key is not None)
    if not report.ok:
        raise typer.Exit(1)


def _ask_codes() -> tuple[str, str]:
    """Ask for both codes without showing them; they stay on this machine."""
    pack_code = typer.prompt(text("commands", "verify.pack_code"), hide_input=True, err=True)
    return pack_code, typer.prompt(text("commands", "verify.vote_code"), hide_input=True, err=True)


def _facts(report: Any) -> dict[str, Any]:  # noqa: ANN401 - voting.verify's, imported when it runs
    return {
        "ok": report.ok,
        "stage": report.stage,
        "notes": report.notes,
        "checks": [asdict(check) for check in report.checks],
        "problems": [asdict(problem) for problem in report.problems],
        "figures": asdict(report.figures),
        "result": report.result,
    }


def _print_report(report: Any, *, published: bool) -> None:  # noqa: ANN401 - as above
    for note in report.notes:
        OUT.print(f"[bold yellow]{text('commands', 'verify.first')}[/bold yellow] {escape(said(note))}")
    if report.checks:
        marks = {True: text("commands", "mark.ok"), False: text("commands", "mark.no")}
        rows = [(marks[check.ok], escape(check_name(check.name)), escape(_detail(check))) for check in report.checks]
        columns = ("", text("commands", "verify.tried"), text("commands", "verify.found"))
        print_table(text("commands", "verify.checks"), columns, rows)
    for problem in report.problems:
        error_line(said_problem(str(problem)))
    figures = report.figures
    if not report.ok:
        OUT.print(f"[bold red]{text('commands', 'verify.not_believed')}[/bold red]")
        return
    if report.result is not None:
        print_result(_printable(report.result))
    ballots, later = f"{figures.ballots:,}", f"{figures.ballots_by_later_credentials:,}"
    before, after = f"{figures.credentials_before:,}", f"{figures.credentials_after:,}"
    OUT.print(text("commands", "verify.ballots", ballots=ballots, later=later, before=before, after=after))
    OUT.print(text("commands", "tally.head", seq=f"{figures.head_seq:,}", hash=figures.head_hash))
    OUT.print(text("commands", "verify.fingerprint", fingerprint=figures.fingerprint))
    if not published:
        OUT.print(text("commands", "verify.made_up"))


def _detail(check: Any) -> str:  # noqa: ANN401 - as above
    return said(check.detail) if check.ok else said_problem(check.detail)


def _printable(value: Any) -> Any:  # noqa: ANN401 - JSON of somebody else's
    """Give a result without what could control a terminal."""
    from voting.verify.reading import printable

    if isinstance(value, dict):
        return {name: _printable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_printable(each) for each in value]
    return printable(value) if isinstance(value, str) else value
