"""`tally`: the count in two steps, with the trustees decrypting at home in between."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.commands.count import PublishSmall, print_counted
from bot.commands.several import SeveralFiles
from bot.commands.spoken import text
from bot.commands.terminal import DEFAULT_ACTOR, OUT, VIA, Actor, AsJson, print_json, stages_bar
from voting.model import By


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="The count in two steps: trustees decrypt at home in between.", no_args_is_help=True)
    nouns.command("begin")(begin)
    nouns.command("finish", cls=SeveralFiles)(finish)
    app.add_typer(nouns, name="tally")


def begin(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the trustees; new or empty.")],
    publish_small: PublishSmall = False,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Close the ballots on the chain, and write what each trustee checks and decrypts.

    Again it writes the same bytes.

    Example: ballotline tally begin --out result
    """
    from bot.house import House, in_house
    from voting.count.count import begin as begin_tally
    from voting.poll import polls
    from voting.poll.election import trustees_of
    from voting.trustees.shares import share_path

    async def act(house: House) -> tuple[dict[str, Any], int]:
        by = By(actor, VIA, house.clock())
        with stages_bar(quiet=as_json) as progress:
            begun = await begin_tally(
                house.database, out, secrets=house.secrets, by=by, publish_small=publish_small, progress=progress
            )
        async with house.database.reading() as connection:
            return begun, len(trustees_of(await polls.load(connection)).keys)

    begun, trustees = in_house(act)
    if as_json:
        print_json({**begun, "bundle": str(out)})
        return
    OUT.print(text("commands", "tally.ballots", ballots=f"{begun['n']:,}", tally=begun["tally"]))
    OUT.print(text("commands", "tally.head", seq=begun["head"]["seq"], hash=begun["head"]["hash"]))
    OUT.print(text("commands", "tally.send", out=str(out)))
    share = share_path(Path(), 1, trustees)
    OUT.print(f"    ballotline trustee decrypt DIR --share {share} --out decryption-1.json")
    command = f"ballotline tally finish --decryption decryption-*.json --out {out}"
    OUT.print(text("commands", "tally.then", command=command))


def finish(
    decryption: Annotated[
        list[Path], typer.Option("--decryption", metavar="FILE...", help="What trustees decrypted, as many as needed.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder of `tally begin`, or a new one.")],
    _publish_small: Annotated[
        bool, typer.Option("--publish-small", help="Agreed to at `tally begin`; taken here too, for scripts.")
    ] = False,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Combine what the trustees decrypted, add the papers, verify, and complete the bundle.

    Example: ballotline tally finish --decryption decryption-1.json decryption-3.json --out result
    """
    from bot.house import House, in_house
    from voting.count.count import finish as finish_tally

    async def act(house: House) -> dict[str, Any]:
        by = By(actor, VIA, house.clock())
        with stages_bar(quiet=as_json) as progress:
            return await finish_tally(house.database, decryption, out, secrets=house.secrets, by=by, progress=progress)

    print_counted(in_house(act), out, as_json=as_json)
