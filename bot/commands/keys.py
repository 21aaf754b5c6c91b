"""`keys`: the election key, from a dealer or from the trustees' ceremony, and the trustees' yes to the election."""

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.terminal import DEFAULT_ACTOR, OUT, VIA, Actor
from voting.model import By
from voting.refusals import ShareFolderTaken


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="The election key: made once, kept only as trustees' shares.", no_args_is_help=True)
    nouns.command("create")(create)
    nouns.command("test")(try_shares)
    app.add_typer(nouns, name="keys")


def create(
    trustees: Annotated[int, typer.Option(min=1, max=16, help="How many shares to make.")],
    threshold: Annotated[int, typer.Option(min=1, max=16, help="How many of them open the box.")],
    out: Annotated[Path, typer.Option(help="Folder for the share files; give each to its trustee, keep none.")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Make the election key; its private half exists only as the shares written here.

    Example: ballotline keys create --trustees 3 --threshold 2 --out shares
    """
    from bot.house import House, in_house
    from voting.poll import polls
    from voting.poll.keys import DEALER
    from voting.sealing import seal, shares
    from voting.trustees.dealer import deal_all, write_dealt

    async def act(house: House) -> list[Path]:
        async with house.database.writing() as connection:
            poll = await polls.load(connection)
            dealt = deal_all(trustees, threshold)
            await polls.set_trustees(connection, dealt.trustees.data, DEALER, by=By(actor, VIA, house.clock()))
            key = seal.create_election_key(trustees, threshold, poll_id=poll.id)
            await polls.set_election_key(
                connection,
                key.public_key,
                trustees=trustees,
                threshold=threshold,
                share_digests=key.share_digests,
                by=By(actor, VIA, house.clock()),
            )
            out.mkdir(mode=0o700, parents=True, exist_ok=True)
            (out / "box").mkdir(mode=0o700, exist_ok=True)
            try:  # before the commit: a key nobody holds is never made public
                return [*write_dealt(out, dealt), *shares.write_shares(out / "box", key.shares)]
            except FileExistsError as taken:
                raise ShareFolderTaken(file=str(taken.filename)) from None

    for path in in_house(act):
        OUT.print(f"{path}  for one trustee")
    OUT.print(f"Any {threshold} of these {trustees} open the box. Hand them out; keep none here.")


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
    OUT.print(f"{file}: good; {threshold} of {of} such shares decrypt.")
