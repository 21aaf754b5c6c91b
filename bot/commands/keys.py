"""`keys`: the election key, from a dealer or from the trustees' ceremony, and the trustees' yes to the election."""

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.several import SeveralFiles
from bot.commands.spoken import said, text
from bot.commands.terminal import DEFAULT_ACTOR, OUT, VIA, Actor
from voting.model import By
from voting.refusals import ShareFolderTaken


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="The election key: made once, kept only as trustees' shares.", no_args_is_help=True)
    nouns.command("create")(create)
    nouns.command("assemble", cls=SeveralFiles)(assemble)
    nouns.command("test")(try_shares)
    nouns.command("election")(election)
    nouns.command("agree")(agree)
    app.add_typer(nouns, name="keys")


def create(
    trustees: Annotated[int, typer.Option(min=1, max=16, help="How many shares to make.")],
    threshold: Annotated[int, typer.Option(min=1, max=16, help="How many of them decrypt the count.")],
    out: Annotated[Path, typer.Option(help="Folder for the share files; give each to its trustee, keep none.")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Make the election key and split it into shares; for a moment this machine can decrypt alone.

    Example: ballotline keys create --trustees 3 --threshold 2 --out shares
    """
    from bot.house import House, in_house
    from voting.poll import polls
    from voting.poll.keys import DEALER
    from voting.trustees.dealer import deal_all, write_dealt

    async def act(house: House) -> list[Path]:
        async with house.database.writing() as connection:
            dealt = deal_all(trustees, threshold)
            await polls.set_trustees(connection, dealt.trustees.data, DEALER, by=By(actor, VIA, house.clock()))
            out.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:  # before the commit: a key nobody holds is never made public
                return write_dealt(out, dealt)
            except FileExistsError as taken:
                raise ShareFolderTaken(file=str(taken.filename)) from None

    *shared, published = in_house(act)
    for path in shared:
        OUT.print(text("commands", "keys.one", file=str(path)))
    OUT.print(text("commands", "keys.all", file=str(published)))
    OUT.print(text("commands", "keys.hand_out", threshold=threshold, trustees=trustees))
    OUT.print(text("commands", "keys.next", command="ballotline roll import ROLL.csv --dry-run"))


def try_shares(
    files: Annotated[list[Path], typer.Argument(metavar="SHARE...", help="Share files to try.")],
    election: Annotated[
        Path | None, typer.Option(metavar="FILE", help="election.json: try at home, without the database.")
    ] = None,
) -> None:
    """Let a trustee try whether a share is whole and belongs to this poll, or to the election of a file.

    Example: ballotline keys test share-1-of-3.json --election election.json
    """
    if election is None:
        _try_in_poll(files)
    else:
        _try_in_file(files, election)


def assemble(
    certificates: Annotated[list[Path], typer.Option(metavar="FILE...", help="The certificates of all trustees.")],
    polynomials: Annotated[list[Path], typer.Option(metavar="FILE...", help="The polynomials of all trustees.")],
    publics: Annotated[list[Path], typer.Option(metavar="FILE...", help="The key-I-of-N.json of all trustees.")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Make the election key from what all trustees sent; no secret is needed.

    Example: ballotline keys assemble --certificates certificate-* --polynomials polynomial-* --publics key-*
    """
    from bot.house import House, in_house
    from voting.poll import polls
    from voting.poll.keys import CEREMONY
    from voting.trustees.assemble import assemble as put_together

    made = put_together(certificates, polynomials, publics)

    async def act(house: House) -> None:
        async with house.database.writing() as connection:
            await polls.set_trustees(connection, made.trustees.data, CEREMONY, by=By(actor, VIA, house.clock()))

    in_house(act)
    for note in made.notes:
        OUT.print(said(note))
    OUT.print(text("commands", "trustee.ceremony", fingerprint=made.fingerprint), style="bold")
    OUT.print(text("commands", "keys.compare"))
    OUT.print(text("commands", "keys.any", threshold=made.trustees.threshold, trustees=len(made.trustees.keys)))
    OUT.print(text("commands", "keys.next", command="ballotline keys election --out election"))


def election(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files, one for each election.")],
) -> None:
    """Write the election as it will be, for the trustees to look at before the poll opens.

    Example: ballotline keys election --out election
    """
    from bot.house import House, in_house
    from voting.poll import polls
    from voting.poll.shown import write_shown

    async def act(house: House) -> None:
        async with house.database.reading() as connection:
            poll = await polls.load(connection)
        shown = write_shown(poll, out)
        OUT.print(text("commands", "keys.election", out=str(out)))
        OUT.print(text("commands", "trustee.fingerprint", fingerprint=shown.fingerprint), style="bold")
        OUT.print(text("commands", "keys.changes"))

    in_house(act)


def agree(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The yes of trustees, in any order.")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Keep each trustee's yes to the election; the poll opens when all have said it.

    Example: ballotline keys agree yes-*.json
    """
    from bot.house import House, in_house
    from voting.poll import polls
    from voting.poll.keys import keep_yes, trustees_without_yes
    from voting.trustees.disk import read_files

    async def act(house: House) -> None:
        async with house.database.writing() as connection:
            there = await keep_yes(connection, read_files(files), by=By(actor, VIA, house.clock()))
            missing = await trustees_without_yes(connection, await polls.load(connection))
        OUT.print(text("commands", "keys.on_chain", numbers=", ".join(map(str, there))))
        if missing:
            OUT.print(text("commands", "keys.missing", numbers=", ".join(map(str, missing))))
        else:
            OUT.print(text("commands", "keys.all_agreed"))

    in_house(act)


def _try_in_poll(files: list[Path]) -> None:
    from bot.house import House, in_house
    from voting.poll import polls
    from voting.poll.election import trustees_of
    from voting.trustees.shares import read_share, try_share

    async def act(house: House) -> None:
        async with house.database.reading() as connection:
            trustees = trustees_of(await polls.load(connection))
        for file in files:
            share = read_share(file)
            try_share(share, trustees)
            _say_good(file, share.threshold, share.of)

    in_house(act)


def _try_in_file(files: list[Path], path: Path) -> None:
    from voting.ballots.election import read_election
    from voting.trustees.disk import read_file
    from voting.trustees.shares import read_share, try_election

    election = read_election(read_file(path).data)
    for file in files:
        share = read_share(file)
        try_election(share, election)
        _say_good(file, share.threshold, share.of)


def _say_good(file: Path, threshold: int, of: int) -> None:
    OUT.print(text("commands", "keys.good", file=str(file), threshold=threshold, of=of))
