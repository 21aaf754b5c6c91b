"""`member`: what support may see of one member; never a choice."""

from typing import Annotated, Any

import typer

from bot.commands.terminal import OUT, AsJson, print_facts, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the command."""
    nouns = typer.Typer(help="One member, for support.", no_args_is_help=True)
    nouns.callback()(lambda: None)
    nouns.command("show")(show)
    app.add_typer(nouns, name="member")


def show(
    member_no: Annotated[str, typer.Argument(metavar="MEMBER_NO")],
    as_json: AsJson = False,
) -> None:
    """Show eligibility, pack, window, lock (never the option), channels, deliveries and cases of one member.

    Example: ballotline member show 0100007
    """
    from bot.house import House, in_house
    from bot.member.file import member_file

    async def act(house: House) -> dict[str, Any]:
        async with house.database.reading() as connection:
            return await member_file(connection, member_no)

    found = in_house(act)
    if as_json:
        print_json(found)
        return
    lists = {name: value for name, value in found.items() if isinstance(value, list)}
    print_facts(f"Member {member_no}", {name: _shown(value) for name, value in found.items() if name not in lists})
    for name, rows in lists.items():
        OUT.print()
        columns = list(rows[0]) if rows else []
        print_table(name.capitalize(), columns, [[row[column] for column in columns] for row in rows])


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items() if part is not None)
    return "-" if value is None else str(value)
