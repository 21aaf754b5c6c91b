"""`init`, `poll`, `window`: the poll's life."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.commands.count import print_result
from bot.commands.spoken import (
    counts,
    language,
    moment,
    name_of,
    phase_name,
    text,
    window_days,
    window_reason,
    written_moment,
)
from bot.commands.terminal import DEFAULT_ACTOR, OUT, VIA, Actor, AsJson, print_facts, print_json, run
from voting.model import By, Phase
from voting.refusals import WrongDay


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(init)
    poll = typer.Typer(help="Open and close the poll; see where it stands.", no_args_is_help=True)
    poll.command("open")(poll_open)
    poll.command("close")(poll_close)
    poll.command("status")(poll_status)
    poll.command("rule")(poll_rule)
    app.add_typer(poll, name="poll")
    days = typer.Typer(help="The days between which packs arrive.", no_args_is_help=True)
    days.command("set")(window_set)
    days.command("list")(window_list)
    app.add_typer(days, name="window")


def init(
    poll_file: Annotated[Path, typer.Argument(metavar="POLL.toml", help="The poll file.")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Make or upgrade the database, make the secrets file, set up the poll.

    Example: ballotline init poll.toml
    """
    from bot import logs
    from bot.commands.bringing_up import bring_up_to_date
    from bot.house import clock
    from bot.settings import read_settings
    from voting import secrets_file
    from voting.audit.signer import Signer
    from voting.poll import polls
    from voting.store.database import Database

    settings = read_settings()
    logs.configure("WARNING", json_lines=False)
    now = clock()
    poll = polls.read_poll_file(poll_file)
    delivery = polls.window_of_file(poll_file, by=By(actor, VIA, now))

    async def make() -> Any:  # noqa: ANN401 - the poll as made
        if not settings.secrets_file.exists():
            secrets_file.save(settings.secrets_file, secrets_file.make())
        secrets = secrets_file.load(settings.secrets_file)
        database = Database(settings.database_url, Signer.beside(secrets, settings.secrets_file))
        try:
            await bring_up_to_date(settings, database, secrets)
            async with database.writing() as connection:
                return await polls.init(connection, poll, delivery, secrets, by=By(actor, VIA, now))
        finally:
            await database.close()

    made = run(make())
    file = str(settings.secrets_file)
    OUT.print(text("commands", "poll.set_up", title=f"[bold]{made.title}[/bold]", file=file))
    OUT.print(text("commands", "poll.next", command="ballotline keys create --trustees 3 --threshold 2 --out shares"))


def poll_open(
    despite: Annotated[
        bool, typer.Option("--despite-missing-packs", help="Open although somebody who may vote has no pack.")
    ] = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Open the poll; votes are taken from its opening time on.

    Example: ballotline poll open --as Gwen
    """
    from bot.house import House, in_house
    from bot.page.page import page_digest
    from voting.audit.chain import sign_head
    from voting.poll import polls

    async def act(house: House) -> None:
        async with house.database.writing() as connection:
            page = page_digest(tuple((await polls.load(connection)).languages))
            poll = await polls.open_poll(
                connection,
                by=By(actor, VIA, house.clock()),
                despite_missing_packs=despite,
                page=page,
                public_url=house.settings.public_url,
            )
            await sign_head(connection, house.clock())
        times = {"opens": moment(poll.opens_at), "closes": moment(poll.closes_at)}
        OUT.print(text("commands", "poll.opened", title=f"[bold]{poll.title}[/bold]", **times))
        OUT.print(text("commands", "poll.next", command="ballotline run"))

    in_house(act)


def poll_close(actor: Actor = DEFAULT_ACTOR) -> None:
    """Close the poll for good, after the votes that came before are locked.

    Example: ballotline poll close --as Gwen
    """
    from bot.house import House, in_house
    from bot.member.closing import close_poll
    from voting.audit.chain import sign_head
    from voting.poll import polls

    async def act(house: House) -> None:
        async with house.database.reading() as connection:
            poll, unanswered = await polls.load(connection), 0
        if poll.phase is not Phase.CLOSED:
            closed = await close_poll(house, by=By(actor, VIA, house.clock()))
            poll, unanswered = closed.poll, closed.unanswered
        async with house.database.writing() as connection:
            await sign_head(connection, house.clock())
        OUT.print(text("commands", "poll.closed", title=f"[bold]{poll.title}[/bold]"))
        count = "ballotline postal count COUNT.csv, ballotline tally begin --out DIR"
        OUT.print(text("commands", "poll.next", command=count))
        if unanswered:
            OUT.print(text("commands", "poll.unanswered", number=unanswered))

    in_house(act)


def poll_status(as_json: AsJson = False) -> None:
    """Show phase, key, roll, packs by state, locks, ballots, open cases and probes; after the count, the result.

    Example: ballotline poll status --json
    """
    from bot.house import House, in_house
    from bot.staff.every_probe import run_every_probe
    from voting.poll.status import poll_facts

    async def act(house: House) -> dict[str, Any]:
        async with house.database.reading() as connection:
            facts = await poll_facts(connection)
            return {**facts, "probes": {probe.name: probe.holds for probe in await run_every_probe(connection)}}

    facts = in_house(act)
    if as_json:
        print_json(facts)
        return
    flat = {name: counts(value) for name, value in facts.items() if name != "result"}
    flat |= {name: written_moment(facts[name]) for name in ("opens_at", "closes_at")}
    flat |= {"phase": phase_name(facts["phase"]), "key": _key(facts["key"]), "probes": _probes(facts["probes"])}
    print_facts(text("commands", "poll.title"), {name_of(name): value for name, value in flat.items()})
    if facts["result"] is not None:
        print_result(facts["result"])


def _probes(probes: dict[str, bool]) -> str:
    from messages.words.reasons import probe_text

    broken = [probe_text(name, language()) for name, holds in probes.items() if not holds]
    return text("commands", "poll.broken", names=", ".join(broken)) if broken else text("commands", "poll.all_hold")


def _key(key: dict[str, Any] | None) -> str:
    if key is None:
        return text("commands", "key.none")
    said = [
        text("commands", "key.decrypt", threshold=key["threshold"], trustees=key["trustees"]),
        text("commands", f"key.{key['kind']}"),
    ]
    if key["without_yes"]:
        said.append(text("commands", "key.without_yes", numbers=", ".join(map(str, key["without_yes"]))))
    if key["fingerprint"]:
        said.append(text("commands", "key.fingerprint", fingerprint=key["fingerprint"]))
    return "; ".join(said)


def poll_rule(
    poll_file: Annotated[Path, typer.Argument(metavar="POLL.toml", help=r"A poll file with the new \[rule].")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Change the rule shown before voting to the one in a poll file; members accept it anew.

    Example: ballotline poll rule poll.toml --as Gwen
    """
    from bot.house import House, in_house
    from voting.poll import polls

    rule = polls.read_poll_file(poll_file).rule

    async def act(house: House) -> None:
        async with house.database.writing() as connection:
            poll = await polls.change_rule(connection, rule, by=By(actor, VIA, house.clock()))
        command = "ballotline notice draft rule_changed"
        OUT.print(text("commands", "poll.rule", version=poll.rule_version, command=command))

    in_house(act)


def window_set(
    first: Annotated[str, typer.Argument(metavar="FIRST", help="First day, 2022-08-01.")],
    last: Annotated[str, typer.Argument(metavar="LAST", help="Last day, 2022-08-10.")],
    reason: Annotated[str, typer.Option(help="Why, as members and auditors may read it.")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Set a new version of the delivery window; what is still queued of the older is superseded.

    Example: ballotline window set 2022-08-01 2022-08-10 --reason "added security"
    """
    from bot.house import House, in_house
    from messages.window_move import move_window

    days = (_day(first), _day(last))

    async def act(house: House) -> None:
        async with house.database.writing() as connection:
            moved = await move_window(connection, *days, reason, by=By(actor, VIA, house.clock()))
        version = moved.window
        arriving = window_days(version.first_day, version.last_day)
        OUT.print(text("commands", "window.set", days=arriving, version=version.version))
        if moved.stopped:
            OUT.print(text("commands", "window.stopped", number=moved.stopped))
        OUT.print(text("commands", "window.tell", command="ballotline notice draft window_changed"))

    in_house(act)


def window_list() -> None:
    """Show every version of the delivery window.

    Example: ballotline window list
    """
    from bot.house import House, in_house
    from voting.poll import window

    async def act(house: House) -> None:
        async with house.database.reading() as connection:
            for version in await window.history(connection):
                days = window_days(version.first_day, version.last_day)
                OUT.print(
                    f"{version.version}. {days}: {window_reason(version.reason)}"
                    f" ({version.set_by}, {moment(version.set_at)})"
                )

    in_house(act)


def _day(raw: str) -> date:
    try:
        return date.fromisoformat(raw)
    except ValueError:
        raise WrongDay(day=raw) from None
