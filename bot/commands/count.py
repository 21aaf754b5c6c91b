"""`count`, `audit`, `rehearse`: the end of the poll, and whether it can be believed."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from bot.commands.several import SeveralFiles
from bot.commands.spoken import language, name_of, probe_detail, said, text
from bot.commands.terminal import (
    DEFAULT_ACTOR,
    OUT,
    VIA,
    Actor,
    AsJson,
    print_json,
    print_table,
    run,
    stages_bar,
)
from voting.model import By

PublishSmall = Annotated[
    bool, typer.Option("--publish-small", help="Publish also where a few ballots or papers could tell who voted how.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(cls=SeveralFiles)(count)
    app.command()(audit)
    app.command("rehearse")(rehearse_poll)


def count(
    share: Annotated[
        list[Path], typer.Option("--share", metavar="FILE...", help="Trustees' shares, as many as needed.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the bundle; new or empty.")],
    publish_small: PublishSmall = False,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Count with the trustees' shares at hand: tally, decrypt, add the papers, verify, write the bundle.

    With the trustees at home: `ballotline tally begin`, `trustee decrypt`, `tally finish`.

    Example: ballotline count --share share-1-of-3.json share-2-of-3.json --out result
    """
    from bot.house import House, in_house
    from voting.count.count import count as count_poll

    async def act(house: House) -> dict[str, Any]:
        by = By(actor, VIA, house.clock())
        with stages_bar(quiet=as_json) as progress:
            return await count_poll(
                house.database,
                share,
                out,
                secrets=house.secrets,
                by=by,
                publish_small=publish_small,
                progress=progress,
            )

    print_counted(in_house(act), out, as_json=as_json)


def print_counted(result: Mapping[str, Any], out: Path, *, as_json: bool) -> None:
    """Print a result and where its bundle is."""
    if as_json:
        print_json({**result, "bundle": str(out)})
        return
    print_result(result)
    OUT.print(text("commands", "count.bundle", out=str(out)))


def print_result(result: Mapping[str, Any]) -> None:
    """Print a result, question by question, with both turnouts."""
    from voting.verify.result import percent

    columns = [text("commands", f"result.{name}") for name in ("option", "online", "post", "votes", "share")]
    for question in result["questions"]:
        voters = question["voters"]
        lines = [(_standing(row), row) for row in question["options"]]
        lines += [] if question["blank"] is None else [(text("commands", "result.blank"), question["blank"])]
        rows = [
            (name, row["online"], row["post"], row["votes"], f"{percent(row['votes'], voters['votes'])} %")
            for name, row in lines
        ]
        whole = text("commands", "result.voted")
        rows.append((whole, voters["online"], voters["post"], voters["votes"], ""))
        print_table(escape(question["question"]), columns, rows)
        for sentence in _standing_said(question):
            OUT.print(escape(sentence))
    votes, rejected, eligible = (f"{result[name]:,}" for name in ("votes", "rejected_papers", "eligible"))
    OUT.print(text("commands", "result.sums", votes=votes, rejected=rejected, eligible=eligible))
    both, valid = result["turnout_with_rejected"], result["turnout_without_rejected"]
    OUT.print(text("commands", "result.turnout", with_rejected=both, without=valid))


def _standing_said(question: Mapping[str, Any]) -> list[str]:
    """Say who is elected and what is tied."""
    sentences, is_election = [], "elected" in question["options"][0]
    if is_election:
        names = ", ".join(option["option"] for option in question["options"] if option["elected"])
        sentences.append(text("commands", "result.elected_are", names=names or text("commands", "result.nobody")))
    if question["tied"]:
        key = "result.tie_for_seats" if is_election else "result.tie"
        sentences.append(text("commands", key, names=", ".join(question["tied"])))
    return sentences


def _standing(row: Mapping[str, Any]) -> str:
    option = escape(row["option"])
    return text("commands", "result.elected", option=option) if row.get("elected") else option


def audit(as_json: AsJson = False) -> None:
    """Walk the whole chain, see that every entry is where its kind may be, and try every probe.

    Example: ballotline audit --json
    """
    from bot.house import House, in_house
    from bot.staff.every_probe import run_every_probe
    from voting.audit.examination import examine

    async def act(house: House) -> dict[str, Any]:
        async with house.database.reading() as connection:
            examined = await examine(connection)
            tried = await run_every_probe(connection)
        probes = [asdict(probe) for probe in tried]
        ok = examined.problem is None and all(probe["holds"] for probe in probes)
        return {"ok": ok, "chain_entries": examined.entries, "chain_problem": examined.problem, "probes": probes}

    found = in_house(act)
    if as_json:
        print_json(found)
    else:
        problem = found["chain_problem"]
        OUT.print(said(problem) if problem else text("commands", "audit.holds", entries=found["chain_entries"]))
        _print_probes(found["probes"])
    if not found["ok"]:
        raise typer.Exit(1)


def _print_probes(probes: Sequence[Mapping[str, Any]]) -> None:
    from messages.words.reasons import probe_text

    marks = {True: text("commands", "mark.ok"), False: text("commands", "mark.broken")}
    rows = [(marks[one["holds"]], probe_text(one["name"], language()), probe_detail(one["detail"])) for one in probes]
    columns = ("", text("commands", "audit.identity"), text("commands", "audit.numbers"))
    print_table(text("commands", "audit.probes"), columns, rows)


def rehearse_poll(
    members: Annotated[int, typer.Option(help="How many members the roll has.")] = 172_437,
    result: Annotated[
        list[str] | None, typer.Option("--result", metavar="OPTION=N", help="Votes for an option; one each.")
    ] = None,
    rejected: Annotated[int, typer.Option(help="Papers that are rejected.")] = 0,
    poll: Annotated[
        Path | None, typer.Option("--poll", metavar="FILE", help="The poll of this file, with papers drawn at random.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a whole poll at full size in a temporary database, through the same code as the real one.

    Example: ballotline rehearse --members 20000 --result "North=9000" --result "South=7000" --rejected 50
    Example: ballotline rehearse --members 20000 --poll poll.toml
    """
    from bot import logs
    from bot.house import clock
    from messages.words.phone import phone_or_reason
    from voting.rehearsal.rehearsal import CannotRehearse, Plan, Rehearsal, plan_of_file, rehearse, usual_plan

    logs.configure("ERROR", json_lines=False)
    if poll is not None and (result or rejected):
        raise CannotRehearse(reason="with --poll the votes are drawn at random; leave out --result and --rejected")
    if poll is not None:
        plan = plan_of_file(poll, members)
    else:
        plan = Plan(members, _asked(result), rejected) if result else usual_plan(members)

    async def act(folder: Path) -> Rehearsal:
        with stages_bar(quiet=as_json) as progress:
            return await rehearse(folder, plan, read_phone=phone_or_reason, now=clock(), progress=progress)

    with tempfile.TemporaryDirectory(prefix="ballotline-rehearsal-") as folder:
        done = run(act(Path(folder)))
    if as_json:
        print_json(done.facts())
        return
    rows = [
        (said(s.name), f"{s.number:,} {name_of(s.what)}", f"{s.seconds:.1f}", f"{s.per_second:,.0f}")
        for s in done.stages
    ]
    columns = [text("commands", f"rehearsal.{name}") for name in ("stage", "done", "seconds", "a_second")]
    print_table(text("commands", "rehearsal.title"), columns, rows)
    asked = [one | {"question": said(one["question"])} for one in done.result["questions"]]
    print_result({**done.result, "questions": asked})
    memory = done.memory.here / 2**20
    taken = {"seconds": f"{done.seconds:.1f}", "memory": f"{memory:,.0f}"}
    OUT.print(text("commands", "rehearsal.verified", **taken))


def _asked(pairs: list[str]) -> dict[str, int]:
    from voting.rehearsal.rehearsal import CannotRehearse

    asked: dict[str, int] = {}
    for pair in pairs:
        option, _, number = pair.rpartition("=")
        if not option.strip() or not number.strip().isdigit() or option.strip() in asked:
            raise CannotRehearse(reason=f'"{pair}" is not OPTION=NUMBER, each option once')
        asked[option.strip()] = int(number)
    return asked
