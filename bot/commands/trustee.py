"""`trustee`: what each trustee does on their own machine; no database, no network."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.commands.several import SeveralFiles
from bot.commands.terminal import OUT, error_line, print_facts, stages_bar
from voting.refusals import StaffRefusal

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Your folder of the ceremony.")]
Certificates = Annotated[list[Path], typer.Option(metavar="FILE...", help="The certificates of all trustees.")]
Polynomials = Annotated[list[Path], typer.Option(metavar="FILE...", help="The polynomials of all trustees.")]


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
    OUT.print(f"{step.keep}  keep it; nobody else may ever see it")
    OUT.print(f"{step.send}  send it to all trustees and to the officer")
    OUT.print(f"When you have the certificates of all: ballotline trustee deal {out} --certificates certificate-*.json")


def deal(folder: Folder, certificates: Certificates) -> None:
    """Send every trustee their part, once you have the certificates of all.

    Example: ballotline trustee deal me --certificates certificate-*.json
    """
    from voting.trustees import trustee

    step = trustee.deal(trustee.secret_in(folder), certificates)
    _read_aloud(step.fingerprint, step.notes)
    OUT.print(f"{step.send}  then send it to all trustees and to the officer")


def finish(folder: Folder, certificates: Certificates, polynomials: Polynomials) -> None:
    """Put your share of the key together, once you have the polynomials of all.

    Example: ballotline trustee finish me --certificates certificate-*.json --polynomials polynomial-*.json
    """
    from voting.trustees import trustee

    step = trustee.finish(trustee.secret_in(folder), certificates, polynomials)
    _read_aloud(step.fingerprint, step.notes)
    OUT.print(f"{step.keep}  your share: keep it, with a copy in a safe place; you decrypt with it")
    OUT.print(f"{step.send}  then send it to the officer")


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
    times = {name: f"{moment:%Y-%m-%d %H:%M} UTC" for name, moment in shown.paper.times.items()}
    print_facts("The election", {"uuid": shown.election.uuid, **times, "key": shown.paper.made})
    for language, texts in shown.paper.texts.items():
        print_facts(f"The paper, {language}", texts)
    OUT.print(f"Fingerprint of the election: {shown.fingerprint}", style="bold")
    OUT.print("Compare it with the one that the officer read or published. Your share will serve no other election.")
    if not yes:
        typer.confirm("Is the paper right, and the fingerprint the same?", abort=True, err=True)
    say_yes(share, out, election=shown.election, trustees=shown.trustees, signing_key=shown.signing_key)
    OUT.print(f"{out}  is your yes to exactly this election: send it to the officer")


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
            report = verify(folder, asked=Asked(head=head), progress=partial(progress, "Verifying"))
        if not report.ok:
            problem = next(map(str, report.problems), "not everything could be tried")
            raise NotDecrypted(folder=folder, problem=problem)
        for note in report.notes:
            OUT.print(note, markup=False)
        _show_tally(asdict(report.figures))
        if not yes:
            typer.confirm("Do the other trustees read the same? Decrypt it?", abort=True, err=True)
        return Verified(report.election, report.trustees, report.tally)

    try:
        decrypt_tally(share, out, verified)
    except WorkerEnded as ended:
        error_line(f"{ended} Nothing was decrypted.")
        raise typer.Exit(1) from ended
    OUT.print(f"{out}  is your decryption of this tally: send it to the officer")


def _show_tally(figures: Mapping[str, Any]) -> None:
    facts = {
        "fingerprint of the election": figures["fingerprint"],
        "credentials issued before the opening": f"{figures['credentials_before']:,}",
        "credentials issued after the opening": f"{figures['credentials_after']:,}",
        "ballots": f"{figures['ballots']:,}",
        "ballots by those later credentials": f"{figures['ballots_by_later_credentials']:,}",
    }
    print_facts("What you are about to decrypt: the sums of all these ballots together, and nothing else", facts)
    OUT.print(f"Last head: entry {figures['head_seq']}, {figures['head_hash']}")
    OUT.print("Compare the fingerprint with the one you agreed to, and read the rest aloud to the other trustees: all")
    OUT.print("must see the same. More than a few credentials issued after the opening? Then ask the officer why.")


def _read_aloud(fingerprint: str, notes: tuple[str, ...]) -> None:
    for note in notes:
        OUT.print(note)
    OUT.print(f"Fingerprint of the ceremony: {fingerprint}", style="bold")
    OUT.print("Read it aloud to every other trustee, by telephone or in one room. Does anybody read another one?")
    OUT.print("Then somebody was given other certificates: send nothing, and begin anew, all of you.")
