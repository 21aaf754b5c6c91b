"""`privacy`: forget chats, numbers and addresses once the poll is over."""

from dataclasses import asdict
from typing import Annotated

import typer

from bot.commands.spoken import name_of, text, value_name
from bot.commands.terminal import DEFAULT_ACTOR, OUT, VIA, Actor, AsJson, error_line, print_facts, print_json
from voting.model import By

Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking; a script must say so.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    nouns = typer.Typer(help="What is kept about people, and forgetting it.", no_args_is_help=True)
    nouns.callback()(lambda: None)
    nouns.command("purge")(purge)
    app.add_typer(nouns, name="privacy")


def purge(
    yes: Yes = False,
    actor: Actor = DEFAULT_ACTOR,
    as_json: AsJson = False,
) -> None:
    """Forget chats, phone numbers and addresses once the poll is closed, and after the count whose each ballot was.

    Never a lock, a ballot or the chain. After the count no bundle can be written again: keep the published one. Stop
    the service before, so that nothing of it is left in the database's log.

    Numbers that said STOP stay on their list, so that nobody writes to them again. Backups are yours to delete.

    Example: ballotline privacy purge --yes
    """
    from bot.house import House, in_house
    from bot.member import privacy

    async def insist(house: House) -> None:  # before asking: nobody should confirm what cannot be done
        async with house.database.reading() as connection:
            await privacy.insist_over(connection)

    async def act(house: House) -> privacy.Forgotten:
        return await privacy.forget(house.database, by=By(actor, VIA, house.clock()))

    if as_json and not yes:
        raise typer.BadParameter("--json asks nothing: say --yes with it.")
    in_house(insist)
    if not yes:
        typer.confirm(text("commands", "privacy.ask"), abort=True, err=True)
    done = in_house(act)
    if not done.compact:
        error_line(text("commands", "privacy.not_compact"))
    forgotten = asdict(done)
    if as_json:
        print_json(forgotten)
        return
    facts = {name_of(name): value_name(value) for name, value in forgotten.items()}
    print_facts(text("commands", "privacy.forgotten"), facts)
    OUT.print(text("commands", "privacy.stays"))
