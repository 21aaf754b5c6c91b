"""What commands that take a file share: its numbers and reasons for a person, JSON for a script, and what it asks."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bot.commands.spoken import level_name, name_of, said, text
from bot.commands.terminal import OUT, error_line, print_facts, print_json
from voting.imports.csv_file import PIPE, read_distinct
from voting.imports.report import (
    NOTHING_AGREED,
    PAIRS_SUFFIX,
    Agreed,
    Asks,
    ImportReport,
    Need,
    keep_report,
    report_path,
)

Take = Callable[[Agreed], ImportReport]

REASONS_SHOWN_MAX: Final = 15
PAIRS_SHOWN_MAX: Final = 20

Yes = Annotated[bool, typer.Option("--yes", help="Accept its sizes: many new members, many who may vote no more.")]
Distinct = Annotated[
    Path | None,
    typer.Option("--distinct", metavar="FILE", help="Pairs of numbers that are different people's: two columns."),
]


def take_and_tell(
    path: Path, take: Take, agreed: Agreed = NOTHING_AGREED, *, dry_run: bool = False, as_json: bool = False
) -> None:
    """Take a file and tell what came of it; what it asks is asked here in a terminal, otherwise the exit is 1."""
    report = take(agreed)
    if report.needs and not as_json and _somebody_is_there(path):
        _tell(path, report, agreed, dry_run=dry_run)
        if not _agrees(report.needs):
            error_line(text("commands", "import.nothing"))
            raise typer.Exit(1)
        agreed = _both(agreed, Agreed.to(report.needs))
        report = take(agreed)
    if as_json:
        _tell_a_script(path, report, agreed, dry_run=dry_run)
    else:
        _tell(path, report, agreed, dry_run=dry_run)
    if report.needs:
        _refuse(path, report.needs)


def agreed_by(yes: bool, distinct: Path | None) -> Agreed:  # noqa: FBT001 - as the command line gives it
    """Give what the options accept; FileUnreadable."""
    return Agreed(sizes=yes, distinct=read_distinct(distinct) if distinct else frozenset())


def _both(one: Agreed, other: Agreed) -> Agreed:
    return Agreed(sizes=one.sizes or other.sizes, distinct=one.distinct | other.distinct)


def _somebody_is_there(path: Path) -> bool:
    return path != PIPE and sys.stdin.isatty() and sys.stderr.isatty()


def _agrees(needs: list[Need]) -> bool:
    for need in needs:
        if need.asks is Asks.PAIRS:
            for new, other in need.pairs[:PAIRS_SHOWN_MAX]:
                OUT.print(f"  {new}  {other}")
            question = text("commands", "import.ask_pairs")
        else:
            question = text("commands", "import.ask_right")
        OUT.print(said(need.sentence))
        if not typer.confirm(question, default=False, err=True):
            return False
    return True


def _refuse(path: Path, needs: list[Need]) -> None:
    """Say what is asked, and how to answer it."""
    for need in needs:
        error_line(said(need.sentence))
    how = []
    if any(need.asks is Asks.PAIRS for need in needs):
        pairs = report_path(path, PAIRS_SUFFIX)
        how.append(text("commands", "import.how_pairs", pairs=str(pairs)))
    if any(need.asks is not Asks.PAIRS for need in needs):
        how.append(text("commands", "import.how_sizes"))
    error_line(text("commands", "import.nothing_unless", how="; ".join(how)))
    raise typer.Exit(1)


def _tell_a_script(path: Path, report: ImportReport, agreed: Agreed, *, dry_run: bool) -> None:
    written = keep_report(path, report, agreed)
    print_json(
        {
            **report.counts(),
            **report.facts(),
            "notes": report.notes,
            "reasons": [{"level": level, "reason": reason, "rows": rows} for level, reason, rows in report.reasons()],
            "dry_run": dry_run,
            "taken": not dry_run and not report.needs,
            "report": None if written is None else str(written),
        }
    )


def _tell(path: Path, report: ImportReport, agreed: Agreed, *, dry_run: bool) -> None:
    written = keep_report(path, report, agreed)
    facts: dict[str, Any] = {name_of(name): count for name, count in report.counts().items()}
    asks, tried = text("commands", "import.asks"), text("commands", "import.dry_run")
    nothing = f" ({asks})" if report.needs else f" ({tried})" if dry_run else ""
    print_facts(f"{path}{nothing}", facts)
    reasons = report.reasons()
    for level, reason, rows in reasons[:REASONS_SHOWN_MAX]:
        OUT.print(f"{rows:>7,} {level_name(level)}: {said(reason)}", markup=False)
    if len(reasons) > REASONS_SHOWN_MAX:
        more = text("commands", "import.more_kinds", number=len(reasons) - REASONS_SHOWN_MAX)
        OUT.print(f"        {more}")
    if nothing and report.notes:
        OUT.print(text("commands", "import.if_taken"))
    for note in report.notes:
        OUT.print(said(note), markup=False)
    if written is not None:
        OUT.print(text("commands", "import.rows", file=str(written)), markup=False)
