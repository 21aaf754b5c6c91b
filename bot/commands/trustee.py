"""`trustee`: what each trustee does on their own machine; no database, no network."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.commands.several import SeveralFiles
from bot.commands.spoken import made, moment, name_of, said, said_problem, text
from bot.commands.terminal import OUT, error_line, print_facts, stages_bar
from voting.refusals import StaffRefusal

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Your folder of the ceremony.")]
Certificates = Annotated[
    list[Path], typer.Option(metavar="FILE...", help="The certificates of all other trustees; yours lies in DIR.")
]
Polynomials = Annotated[
    list[Path], typer.Option(metavar="FILE...", help="The polynomials of all other trustees; yours lies in DIR.")
]


class NotDecrypted(StaffRefusal):
    """{folder} does not verify, so nothing was decrypted; tell the other trustees ({problem})."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(
        help="A trustee at home: your share of the key, your yes to the election.", no_args_is_help=True
    )
    nouns.command("new")(new)
    nouns.command("deal", cls=SeveralFiles)(deal)
    nouns.command("finish", cls=SeveralFiles)(finish)
    nouns.command("agree")(agree)
    nouns.command("decrypt")(decrypt)
    app.add_typer(nouns, name="trustee")


def new(
    index: Annotated[int, typer.Option(min=1, max=16, help="Your number among the trustees, from 1.")],
    of: Annotated[int, typer.Option(min=1, max=16, help="How many trustees there are.")],
    threshold: Annotated[int, typer.Option(min=1, max=16, help="How many of them decrypt.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Your folder; what is secret in it never leaves it.")],
) -> None:
    """Begin the ceremony: make your secret and the certificate that all others need.

    Example: ballotline trustee new --index 1 --of 3 --threshold 2 --out me
    """
    from voting.trustees import trustee

    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    step = trustee.new(index, of, threshold, out)
    OUT.print(text("commands", "trustee.keep_secret", file=str(step.keep)))
    OUT.print(text("commands", "trustee.send_all", file=str(step.send)))
    command = f"ballotline trustee deal {out} --certificates certificate-*.json"
    OUT.print(text("commands", "trustee.when_all", command=command))


def deal(folder: Folder, certificates: Certificates) -> None:
    """Send every trustee their part, once you have the certificates of all.

    Example: ballotline trustee deal me --certificates certificate-*.json
    """
    from voting.trustees import trustee

    step = trustee.deal(trustee.secret_in(folder), _with_own("certificate", folder, certificates))
    _read_aloud(step.fingerprint, step.notes)
    OUT.print(text("commands", "trustee.then_send_all", file=str(step.send)))
    command = f"ballotline trustee finish {folder} --certificates certificate-*.json --polynomials polynomial-*.json"
    OUT.print(text("commands", "trustee.when_all_polynomials", command=command))


def finish(folder: Folder, certificates: Certificates, polynomials: Polynomials) -> None:
    """Put your share of the key together, once you have the polynomials of all.

    Example: ballotline trustee finish me --certificates certificate-*.json --polynomials polynomial-*.json
    """
    from voting.trustees import trustee

    step = trustee.finish(
        trustee.secret_in(folder),
        _with_own("certificate", folder, certificates),
        _with_own("polynomial", folder, polynomials),
    )
    _read_aloud(step.fingerprint, step.notes)
    OUT.print(text("commands", "trustee.keep_share", file=str(step.keep)))
    OUT.print(text("commands", "trustee.then_send", file=str(step.send)))


def agree(
    share: Annotated[Path, typer.Option(help="Your share.")],
    election: Annotated[Path, typer.Option(metavar="DIR", help="What `keys election` wrote.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file for your yes.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: everything was compared before.")] = False,
) -> None:
    """Look at the election, and say yes to exactly this; the poll does not open without every trustee's.

    Example: ballotline trustee agree --share me/share-1-of-3.json --election election --out yes-1.json
    """
    from voting.poll.shown import read_shown
    from voting.trustees.agreement import agree as say_yes

    shown = read_shown(election)
    times = {name: moment(at) for name, at in shown.paper.times.items()}
    facts = {"uuid": shown.election.uuid, **times, "key": made(shown.paper.made)}
    print_facts(text("commands", "trustee.election"), {name_of(name): fact for name, fact in facts.items()})
    for language, texts in shown.paper.texts.items():
        print_facts(text("commands", "trustee.paper", language=language), _labelled(texts))
    OUT.print(text("commands", "trustee.fingerprint", fingerprint=shown.fingerprint), style="bold")
    OUT.print(text("commands", "trustee.compare"))
    if not yes:
        typer.confirm(text("commands", "trustee.ask_right"), abort=True, err=True)
    say_yes(share, out, election=shown.election, trustees=shown.trustees, signing_key=shown.signing_key)
    OUT.print(text("commands", "trustee.yes", file=str(out)))


def decrypt(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `tally begin` wrote, whole.")],
    share: Annotated[Path, typer.Option(help="Your share.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file for your decryption.")],
    head: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A head that you kept (`ballotline head --json`).")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: everything was compared before.")] = False,
) -> None:
    """Check everything, look at what is about to be decrypted, and decrypt it; your share decrypts nothing else ever.

    Example: ballotline trustee decrypt tally --share me/share-1-of-3.json --out decryption-1.json --head head.json
    """
    from voting.trustees.decrypt import Verified
    from voting.trustees.decrypt import decrypt as decrypt_tally
    from voting.verify.verify import Asked, WorkerEnded, verify

    def verified() -> Verified:
        with stages_bar() as progress:
            report = verify(
                folder, asked=Asked(head=head), progress=partial(progress, text("commands", "trustee.verifying"))
            )
        if not report.ok:
            problem = next((said_problem(str(one)) for one in report.problems), text("commands", "trustee.not_tried"))
            raise NotDecrypted(folder=folder, problem=problem)
        for note in report.notes:
            OUT.print(said(note), markup=False)
        _show_tally(asdict(report.figures))
        if not yes:
            typer.confirm(text("commands", "trustee.ask_decrypt"), abort=True, err=True)
        return Verified(report.election, report.trustees, report.tally)

    try:
        decrypt_tally(share, out, verified)
    except WorkerEnded as ended:
        error_line(text("commands", "trustee.nothing_decrypted", problem=said(str(ended))))
        raise typer.Exit(1) from ended
    OUT.print(text("commands", "trustee.decryption", file=str(out)))


def _with_own(kind: str, folder: Path, given: list[Path]) -> list[Path]:
    """Add our own file, which lies in our folder, to what the others sent."""
    return [*given, *sorted(folder.glob(f"{kind}-*-of-*.json"))]


def _labelled(texts: Mapping[str, str]) -> dict[str, str]:
    """Give a paper's texts under labels in the terminal's language; questions keep their numbers."""
    parts = {name: name.partition(" ") for name in texts}
    return {f"{name_of(word)}{space}{number}": texts[name] for name, (word, space, number) in parts.items()}


def _show_tally(figures: Mapping[str, Any]) -> None:
    facts = {
        "fingerprint of the election": figures["fingerprint"],
        "credentials issued before the opening": f"{figures['credentials_before']:,}",
        "credentials issued after the opening": f"{figures['credentials_after']:,}",
        "ballots": f"{figures['ballots']:,}",
        "ballots by those later credentials": f"{figures['ballots_by_later_credentials']:,}",
    }
    print_facts(text("commands", "trustee.about_to"), {name_of(name): fact for name, fact in facts.items()})
    OUT.print(text("commands", "tally.head", seq=figures["head_seq"], hash=figures["head_hash"]))
    OUT.print(text("commands", "trustee.compare_tally"))


def _read_aloud(fingerprint: str, notes: tuple[str, ...]) -> None:
    for note in notes:
        OUT.print(said(note))
    OUT.print(text("commands", "trustee.ceremony", fingerprint=fingerprint), style="bold")
    OUT.print(text("commands", "trustee.read_aloud"))
