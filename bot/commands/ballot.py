"""`ballot check`: whether a ballot that was tested instead of cast held the choice that it should."""

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.spoken import text
from bot.commands.terminal import OUT, AsJson, print_json


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="A ballot that you tested on the voting page.", no_args_is_help=True)
    nouns.command("check")(check)
    app.add_typer(nouns, name="ballot")


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What the page gave you when you tested a ballot.")],
    election: Annotated[
        Path, typer.Option(metavar="FILE", help="election.json, taken from elsewhere than the voting page.")
    ],
    as_json: AsJson = False,
) -> None:
    """Seal the tested ballot again from its choice and random numbers, and say what it held.

    Compare the seal code with the one that the page showed you before you chose to test.

    Example: ballotline ballot check tested.json --election election.json
    """
    from voting.ballots.election import read_election
    from voting.ballots.tested import read_tested
    from voting.trustees.disk import read_file

    tested = read_tested(read_file(file).data, read_election(read_file(election).data))
    if as_json:
        print_json({"ok": True, "held": [list(chosen) for chosen in tested.held], "seal_code": tested.seal_code})
        return
    for question, chosen in zip(tested.election.questions, tested.held, strict=True):
        OUT.print(f"{question.text}  {', '.join(chosen) or text('commands', 'ballot.blank')}", markup=False)
    OUT.print(text("commands", "ballot.seal_code", code=tested.seal_code), style="bold")
    OUT.print(text("commands", "ballot.same"))
    OUT.print(text("commands", "ballot.cheated"))
