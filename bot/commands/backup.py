"""`backup` and `restore`: the whole poll in a file, and the poll from it on another machine."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.spoken import in_english, text
from bot.commands.terminal import OUT, AsJson, print_json, run, stages_bar


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new file; the secrets go to FILE.secrets.")],
    recipient: Annotated[
        str | None, typer.Option(metavar="KEY", help="Encrypt both files to this age public key (age1...).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the whole poll to FILE and, apart from it, the secrets to FILE.secrets, while the service runs.

    Both are checked before they get their names. What people typed a moment ago is left out. Keep the two apart:
    together they let codes be guessed.

    Example: ballotline backup /mnt/backups/monday.db --recipient age1...
    """
    from bot.commands.after_backup import WITHHELD
    from bot.house import House, in_house
    from voting.backup.making import Made, make

    async def act(house: House) -> Made:
        with stages_bar(quiet=as_json) as show:
            return await make(
                house.database,
                house.secrets,
                file,
                working=house.settings.secrets_file.absolute().parent,
                now=house.clock(),
                recipient=recipient,
                withheld=WITHHELD,
                progress=show,
            )

    made = in_house(act)
    if as_json:
        print_json(asdict(made))
        return
    how = text("commands", "backup.encrypted" if made.encrypted else "backup.in_the_clear")
    sizes = {"rows": f"{sum(made.rows.values()):,}", "entries": f"{made.entries:,}"}
    OUT.print(text("commands", "backup.made", file=str(made.file), **sizes, how=how))
    OUT.print(f"SHA-256 {made.sha256}")
    OUT.print(text("commands", "backup.secrets", file=str(made.secrets_file)))


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, help="What `backup` wrote.")],
    secrets: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, help="The secrets; FILE.secrets if not given.")
    ] = None,
    identity: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, help="The age identity, if they are encrypted.")
    ] = None,
    head: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, help="The newest head that others kept (`head --json`)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Restore a poll into the database and the secrets file of the settings; there must be nothing in either yet.

    Afterwards it prints what `doctor` says, and what to do and to tell members about what happened since the backup.

    Example: ballotline restore monday.db --secrets monday.db.secrets --identity key.txt --head head.json
    """
    from bot import logs
    from bot.commands.after_backup import to_do_after
    from bot.commands.examination import examine
    from bot.commands.findings import Finding, show_findings
    from bot.settings import read_settings
    from voting.backup.making import secrets_of
    from voting.backup.restoring import Restored, Sources
    from voting.backup.restoring import restore as restore_poll

    settings = read_settings()
    logs.configure("ERROR", json_lines=False)
    sources = Sources(file, secrets or secrets_of(file), identity, head)

    async def act() -> tuple[Restored, list[Finding]]:
        with stages_bar(quiet=as_json) as show:
            done = await restore_poll(sources, settings.database_url, settings.secrets_file.absolute(), progress=show)
        return done, await examine(settings)

    with in_english(on=as_json):
        done, findings = run(act())
        to_do = to_do_after(done, settings.secrets_file)
    if as_json:
        facts = asdict(done) | {
            "lost": None if done.lost is None else {"seq": done.lost.seq, "hash": done.lost.hash.hex()}
        }
        print_json(facts | {"findings": [asdict(finding) for finding in findings], "to_do": to_do})
        return
    sizes = {"rows": f"{sum(done.rows.values()):,}", "entries": f"{done.entries:,}"}
    OUT.print(text("commands", "restore.done", **sizes) + "\n")
    show_findings(findings)
    for number, sentence in enumerate(to_do, start=1):
        OUT.print(f"\n{number}. {sentence}")
