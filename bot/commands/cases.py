"""`cases`: attempts to vote after the lock, for people to decide; never a choice."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bot.commands.spoken import moment, name_of, text, value_name
from bot.commands.terminal import OUT, AsJson, print_facts, print_json, print_table

OWN_WORDS: Final = frozenset({"note", "acknowledged_by", "assigned_to", "proposed_by", "settled_by"})


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="Attempts to vote after the lock.", no_args_is_help=True)
    nouns.command("list")(list_cases)
    nouns.command("show")(show)
    nouns.command("export")(export)
    app.add_typer(nouns, name="cases")


def list_cases(
    as_json: AsJson = False,
    state: Annotated[str | None, typer.Option(help="open, proposed or settled only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 100,
) -> None:
    """List cases, newest first.

    Example: ballotline cases list --state open
    """
    from bot.house import House, in_house
    from voting.votes import cases

    async def act(house: House) -> list[cases.Case]:
        async with house.database.reading() as connection:
            return await cases.list_cases(connection, state=state, limit=limit)

    found = in_house(act)
    if as_json:
        print_json({"cases": [_facts(asdict(case)) for case in found]})
        return
    columns = ["case", "member", "state", "classes", "first vote", "acknowledged by", "assigned to", "outcome"]
    rows = [
        [
            case.id,
            case.member_no,
            value_name(case.state),
            ", ".join(value_name(row.kind) for row in case.attempts),
            f"{value_name(case.locked_how)} {moment(case.locked_at)}" if case.locked_at else "",
            case.acknowledged_by,
            case.assigned_to,
            case.outcome and value_name(case.outcome),
        ]
        for case in found
    ]
    print_table(text("commands", "cases.title"), [name_of(column) for column in columns], rows)


def show(
    case_id: Annotated[int, typer.Argument(metavar="ID")],
    as_json: AsJson = False,
) -> None:
    """Show one case: its attempts, what was decided, by whom.

    Example: ballotline cases show 3
    """
    from bot.house import House, in_house
    from voting.votes import cases

    async def act(house: House) -> cases.Case:
        async with house.database.reading() as connection:
            return await cases.show_case(connection, case_id)

    case = in_house(act)
    facts = _facts(asdict(case))
    if as_json:
        print_json(facts)
        return
    attempts = facts.pop("attempts")
    shown = {name_of(name): _said(name, value) for name, value in facts.items()}
    print_facts(text("commands", "case.title", case=case.id), shown)
    OUT.print()
    heads = [name_of(column) for column in ("class", "at", "same_account")]
    rows = [[value_name(value) for value in row.values()] for row in attempts]
    print_table(text("commands", "case.attempts"), heads, rows)


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file to write.")],
) -> None:
    """Write one row per attempt for the organisation's own procedure.

    Example: ballotline cases export cases.csv
    """
    from bot.house import House, in_house
    from voting.imports.report import PeoplesCsv
    from voting.votes import cases

    async def act(house: House) -> list[dict[str, Any]]:
        async with house.database.reading() as connection:
            return await cases.export_rows(connection)

    rows = in_house(act)
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = PeoplesCsv(target)
        writer.row(cases.EXPORT_COLUMNS)
        writer.rows([row[name] for name in cases.EXPORT_COLUMNS] for row in rows)
    OUT.print(text("commands", "cases.exported", number=len(rows), file=str(file)))


def _said(name: str, value: object) -> str:
    """Say one fact of a case; what people wrote is theirs."""
    return str(value) if name in OWN_WORDS and value is not None else value_name(value)


def _facts(case: dict[str, Any]) -> dict[str, Any]:
    """Give a case's facts without anybody's account."""
    shown = {name: value for name, value in case.items() if name not in {"locked_chat", "member_id"}}
    first = case["locked_chat"]
    shown["attempts"] = [
        {"kind": row["kind"], "at": row["at"], "same_account": row["chat"] is not None and row["chat"] == first}
        for row in case["attempts"]
    ]
    return shown
