"""`head`: the last signed head of the chain, and what to do after an honest restore."""

from dataclasses import asdict
from typing import Any

import typer

from bot.commands.spoken import text
from bot.commands.terminal import DEFAULT_ACTOR, OUT, VIA, Actor, AsJson, error_line, print_json
from voting.model import By


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(invoke_without_command=True)
    nouns.callback()(head)
    nouns.command("resume")(resume)
    app.add_typer(nouns, name="head")


def head(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the last signed head of the chain, for others to keep; `verify --head` takes what --json prints.

    Example: ballotline head --json
    """
    if context.invoked_subcommand is not None:
        return
    from bot.house import House, in_house
    from voting.audit import chain

    async def act(house: House) -> Any:  # noqa: ANN401 - the head, or nothing
        async with house.database.reading() as connection:
            await chain.check_continues(connection)
            return await chain.last_head(connection)

    last = in_house(act)
    if last is None:
        error_line(text("commands", "head.none"))
        raise typer.Exit(1)
    if as_json:
        print_json({"seq": last.seq, "hash": last.hash.hex(), "signature": last.signature.hex()})
        return
    facts = {"seq": f"{last.seq:,}", "hash": last.hash.hex(), "signature": last.signature.hex()}
    OUT.print(text("commands", "head.last", **facts))


def resume(as_json: AsJson = False, actor: Actor = DEFAULT_ACTOR) -> None:
    """Go on from the database as it is after an honest restore; one officer asks, another approves.

    Compare the database with the newest backup first: whatever the lost entries said, votes among it, is not on this
    chain. The published chain names the lost head and both officers.

    Example: ballotline head resume --as Gwen
    """
    from bot.house import House, in_house
    from voting.audit.resuming import Resuming, resume_and_sign

    async def act(house: House) -> Resuming:
        async with house.database.writing() as connection:
            return await resume_and_sign(connection, by=By(actor, VIA, house.clock()))

    done = in_house(act)
    if as_json:
        facts = {**asdict(done), "lost": {"seq": done.lost.seq, "hash": done.lost.hash.hex()}}
        print_json(facts)
        return
    lost = {"seq": f"{done.lost.seq:,}", "hash": done.lost.hash.hex()}
    OUT.print(text("commands", "head.lost", **lost, last=f"{done.seq:,}"))
    if done.approved_by is None:
        OUT.print(text("commands", "head.asked", name=done.asked_by))
    else:
        OUT.print(text("commands", "head.given_up", asked=done.asked_by, approved=done.approved_by))
