"""`doctor`: settings, database, keys and providers, one line each and what to do."""

from dataclasses import asdict

import typer

from bot.commands.spoken import in_english
from bot.commands.terminal import AsJson, print_json, run


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(as_json: AsJson = False) -> None:
    """Look at settings, database, migrations, keys, providers, webhook and clock; say what to do.

    Example: ballotline doctor --json
    """
    from bot import logs
    from bot.commands.examination import examine
    from bot.commands.findings import show_findings
    from bot.settings import read_settings

    settings = read_settings()
    logs.configure("ERROR", json_lines=False)
    with in_english(on=as_json):
        findings = run(examine(settings))
    ok = all(finding.ok is not False for finding in findings)
    if as_json:
        print_json({"ok": ok, "findings": [asdict(finding) for finding in findings]})
    else:
        show_findings(findings)
    if not ok:
        raise typer.Exit(1)
