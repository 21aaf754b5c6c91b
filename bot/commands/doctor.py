"""`doctor`: settings, database, keys and providers, one line each and what to do."""

from dataclasses import asdict

import typer

from bot.commands.terminal import OUT, AsJson, print_json, run


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(as_json: AsJson = False) -> None:
    """Look at settings, database, migrations, keys, providers, webhook and clock; say what to do.

    Example: ballotline doctor --json
    """
    from bot import logs
    from bot.commands.examination import examine
    from bot.settings import read_settings

    settings = read_settings()
    logs.configure("ERROR", json_lines=False)
    findings = run(examine(settings))
    ok = all(finding.ok is not False for finding in findings)
    if as_json:
        print_json({"ok": ok, "findings": [asdict(finding) for finding in findings]})
    else:
        marks = {True: "[green]ok [/green]", False: "[red]no [/red]", None: "[dim]off[/dim]"}
        for finding in findings:
            todo = f"  [bold]{finding.what_to_do}[/bold]" if finding.what_to_do else ""
            OUT.print(f"{marks[finding.ok]} {finding.name}: {finding.detail}{todo}")
    if not ok:
        raise typer.Exit(1)
