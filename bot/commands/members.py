"""`member`: what support may see of one member, never a choice; and channels that were turned off wrongly."""

from typing import Annotated, Any

import typer

from bot.commands.spoken import fact_name, name_of, text, value_name
from bot.commands.terminal import (
    DEFAULT_ACTOR,
    OUT,
    VIA,
    Actor,
    AsJson,
    DryRun,
    print_facts,
    print_json,
    print_table,
    read_time,
)
from voting.model import By


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="Members, for support.", no_args_is_help=True)
    nouns.callback()(lambda: None)
    nouns.command("show")(show)
    nouns.command("channels-back")(channels_back)
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
    facts = {name_of(name): _shown(name, value) for name, value in found.items() if name not in lists}
    print_facts(text("commands", "member.title", member_no=member_no), facts)
    for name, rows in lists.items():
        OUT.print()
        columns = list(rows[0]) if rows else []
        shown = [["" if row[name] is None else fact_name(name, row[name]) for name in columns] for row in rows]
        print_table(name_of(name).capitalize(), [name_of(column) for column in columns], shown)


def channels_back(
    channel: Annotated[str, typer.Option(help="telegram or sms.")],
    since: Annotated[str, typer.Option("--from", help="They went off from this moment, 2022-08-02T18:00.")],
    until: Annotated[str, typer.Option(help="They went off until this moment.")],
    reason: Annotated[str, typer.Option(help="Why, for the chain.")],
    errors: Annotated[
        list[str] | None,
        typer.Option("--error", help="Only by this error; may be repeated. Needed for sms."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Turn channels on again that a provider's errors turned off within a span: after a proxy's pages, for example.

    Never who said STOP, nor who blocked the bot themselves, nor a number that the roll took away.

    Example: ballotline member channels-back --channel telegram --from 2022-08-02T18:00 --until 2022-08-02T19:30
    --reason "a proxy answered for Telegram" --dry-run
    """
    from bot.house import House, in_house
    from messages import channels_back as acts
    from voting.poll import polls

    async def act(house: House) -> dict[str, int]:
        async with house.database.writing() as connection:
            zone = (await polls.load(connection)).timezone
            first, last = read_time(since, zone), read_time(until, zone)
            assert first is not None  # both are required
            assert last is not None
            span = acts.Span(channel, first, last, tuple(errors or ()))
            if dry_run:
                return await acts.went_off(connection, span)
            return await acts.channels_back(connection, span, reason, by=By(actor, VIA, house.clock()))

    found = in_house(act)
    if as_json:
        print_json({"channel": channel, "back": sum(found.values()), "by_error": found, "dry_run": dry_run})
        return
    key = "channels.would_be_on" if dry_run else "channels.are_on"
    OUT.print(text("commands", key, number=sum(found.values()), channel=value_name(channel)))
    for error, count in found.items():
        OUT.print(f"  {fact_name('reason', error)}: {count}")


def _shown(name: str, value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name_of(part)} {fact_name(part, said)}" for part, said in value.items() if said is not None)
    return fact_name(name, value)
