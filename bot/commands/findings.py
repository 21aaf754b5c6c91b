"""What `doctor` found, for a person to read."""

from collections.abc import Iterable

from bot.commands.examination import Finding
from bot.commands.terminal import OUT


def show_findings(findings: Iterable[Finding]) -> None:
    """Print one line each, with what to do."""
    marks = {True: "[green]ok [/green]", False: "[red]no [/red]", None: "[dim]off[/dim]"}
    for finding in findings:
        todo = f"  [bold]{finding.what_to_do}[/bold]" if finding.what_to_do else ""
        OUT.print(f"{marks[finding.ok]} {finding.name}: {finding.detail}{todo}")
