"""A rehearsal: a whole poll at full size, through the same code as the real one, to a given result.

Nothing is simulated: the roll is imported from a file, packs are issued into a print file, every vote starts from codes
read there and goes through the same checks and the same clerk, papers are scanned and counted, trustees decrypt with
their shares what they verified, and `verify` checks the published bundle. Only the people are made up.
"""

from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from voting import secrets_file
from voting.audit.signer import Signer
from voting.rehearsal import after
from voting.rehearsal.before import set_up
from voting.rehearsal.failed import RehearsalFailed, insist
from voting.rehearsal.letters import Letters
from voting.rehearsal.outcome import Rehearsal
from voting.rehearsal.plan import CannotRehearse, Plan, plan_of_file, usual_plan
from voting.rehearsal.scene import Scene, poll_of
from voting.rehearsal.stopwatch import Progress, Stage, Stopwatch, clock_from, peak_memory
from voting.rehearsal.voters import Crowd
from voting.roll.rows import ReadPhone
from voting.store import upgrade
from voting.store.database import Database
from voting.verify.report import Report
from voting.votes.checks import Checks
from voting.votes.clerk import Clerk

__all__ = [
    "CannotRehearse",
    "Plan",
    "Progress",
    "Rehearsal",
    "RehearsalFailed",
    "Stage",
    "plan_of_file",
    "rehearse",
    "usual_plan",
]


async def rehearse(
    folder: Path,
    plan: Plan,
    *,
    read_phone: ReadPhone,
    now: datetime,
    url: str | None = None,
    progress: Progress | None = None,
    random: Random | None = None,
) -> Rehearsal:
    """Run the whole poll in an empty `folder`, and in the empty database at `url` if not in a file there.

    Raises RehearsalFailed when anything but the given result comes out: another number, a bundle that does not
    verify, an identity that does not hold, an attempt unseen or a replay taken for one; PollExists.
    """
    secrets = secrets_file.make()
    signer = Signer.beside(secrets, folder / "rehearsal.secrets")
    database = Database(url or f"sqlite+aiosqlite:///{folder / 'rehearsal.db'}", signer)
    clock = clock_from(now)
    scene = Scene(
        folder,
        plan,
        database,
        secrets,
        clock=clock,
        random=random or Random(),  # noqa: S311 - people and choices that are made up
        watch=Stopwatch(progress),
        poll=poll_of(plan, clock),
    )
    try:
        await upgrade.upgrade(database)
        return await _play(scene, read_phone)
    finally:
        await database.close()


async def _play(scene: Scene, read_phone: ReadPhone) -> Rehearsal:
    """Go through the poll, stage by stage."""
    await set_up(scene, read_phone)
    letters = Letters(scene)
    crowd = await _vote(scene, letters)
    await after.take_papers(scene, letters.late_papers)
    await after.close(scene)
    result = await after.count(scene)
    report = await after.verify_result(scene)
    entries = await after.audit(scene)
    attempts = crowd.attempts + letters.late_papers
    _insist(scene, result, report)
    recorded = await after.attempts_recorded(scene)
    insist(recorded == attempts, f"{recorded} attempts were recorded instead of {attempts}")
    return Rehearsal(
        tuple(scene.watch.stages),
        result,
        report,
        scene.bundle,
        attempts,
        crowd.replays,
        entries,
        peak_memory(),
        scene.watch.seconds,
    )


async def _vote(scene: Scene, letters: Letters) -> Crowd:
    """Have everybody vote who does so online; then the codes of some are given again."""
    checks, clerk = Checks(scene.database, scene.secrets), Clerk(scene.database, scene.secrets)
    crowd = Crowd(scene.plan, scene.poll, checks, clerk, scene.clock)
    with scene.watch.stage("votes: check both codes, seal, check, lock", scene.ballots, "votes") as counter:
        await crowd.vote(letters.open(), counter)
        await clerk.finish()
    with scene.watch.stage("attempts: codes again after the lock", crowd.attempts_due, "attempts") as counter:
        await crowd.try_again(counter)
    return crowd


def _insist(scene: Scene, result: dict[str, Any], report: Report) -> None:
    """Compare what came out with what was asked for."""
    votes = [_marks(question) for question in result["questions"]]
    rejected = result["rejected_papers"]
    asked = (scene.plan.marks, scene.plan.rejected)
    insist((votes, rejected) == asked, f"the result is {votes} and {rejected} rejected papers")
    insist(report.ok, f"the bundle does not verify: {report.problems[:1]}")


def _marks(question: dict[str, Any]) -> list[int]:
    """Give a question's votes as a ballot has them."""
    lines = [*([] if question["blank"] is None else [question["blank"]]), *question["options"]]
    return [line["votes"] for line in lines]
