"""A rehearsal after its last vote: papers, the close, the tally, two trustees who decrypt, the result, all checks."""

import asyncio
import csv
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from voting import schema
from voting.audit import chain
from voting.audit.probes import run_probes
from voting.count.count import begin, finish
from voting.poll import polls
from voting.poll.election import questions_of
from voting.post import papers as postal_count
from voting.post import scans
from voting.rehearsal.before import THRESHOLD, TRUSTEES
from voting.rehearsal.failed import insist
from voting.rehearsal.scene import Scene
from voting.rehearsal.stopwatch import Counter
from voting.trustees.decrypt import Verified, decrypt
from voting.trustees.shares import share_path
from voting.verify.report import Report
from voting.verify.verify import verify


async def take_papers(scene: Scene, late: int) -> None:
    """Import the scans; each of the `late` papers, of somebody who voted online, has to be set aside."""
    due = sum(scene.plan.post) + scene.plan.rejected + late
    with scene.watch.stage("papers: scanned", due, "papers") as counter:
        report = await scans.import_postal(
            scene.database, scene.papers, scene.secrets, by=scene.by, progress=counter.reach
        )
    insist((report.added, report.rejected) == (due, 0), f"papers were imported as {report.counts()}")


async def close(scene: Scene) -> None:
    """Close the poll, and take the count of papers."""
    with scene.watch.stage("close", 1, "poll") as counter:
        async with scene.database.writing() as connection:
            await polls.close_poll(connection, by=scene.by)
        counter.add()
    path = scene.folder / "postal-count.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*postal_count.NAMING, *postal_count.COLUMNS))
        for question, votes in zip(questions_of(scene.poll), scene.plan.marks_by_post, strict=True):
            writer.writerows((question.text, *line) for line in zip(question.names, votes, strict=True))
    await postal_count.import_count(scene.database, path, by=scene.by)


async def count(scene: Scene) -> dict[str, Any]:
    """Tally, have as many trustees decrypt as it takes, and write the result; give what result.json says."""
    with scene.watch.stage("tally: multiply, write the archive, verify", scene.ballots, "ballots") as counter:
        await begin(
            scene.database,
            scene.bundle,
            secrets=scene.secrets,
            by=scene.by,
            publish_small=True,
            progress=counter.reach_part,
        )
    with scene.watch.stage("decrypt: verify at home, two trustees", scene.ballots, "ballots") as counter:
        decryptions = await asyncio.to_thread(_decrypt, scene, counter)
    with scene.watch.stage("result: combine, write the bundle, verify", scene.ballots, "ballots") as counter:
        return await finish(
            scene.database,
            decryptions,
            scene.bundle,
            secrets=scene.secrets,
            by=scene.by,
            progress=counter.reach_part,
        )


def _decrypt(scene: Scene, counter: Counter) -> list[Path]:
    """Do as trustees do: the bundle is verified whole, once for all of them here, then each writes a decryption."""
    report = verify(scene.bundle, progress=counter.reach_of)
    insist(report.ok, f"the bundle without result does not verify: {report.problems[:1]}")
    verified = Verified(report.election, report.trustees, report.tally)
    decryptions = []
    for index in scene.random.sample(range(1, TRUSTEES + 1), THRESHOLD):
        decryptions.append(scene.folder / f"decryption-{index}.json")
        decrypt(share_path(scene.shares, index, TRUSTEES), decryptions[-1], lambda: verified)
    return decryptions


async def verify_result(scene: Scene) -> Report:
    """Check the bundle as strangers do."""
    with scene.watch.stage("verify: the bundle alone", scene.ballots, "ballots") as counter:
        return await asyncio.to_thread(verify, scene.bundle, progress=counter.reach_of)


async def audit(scene: Scene) -> int:
    """Walk the whole chain and try every identity; give how many entries there are."""
    async with scene.database.reading() as connection:
        entries = int(await connection.scalar(select(func.count()).select_from(schema.chain)) or 0)
    with scene.watch.stage("audit: walk the chain, try every identity", entries, "entries") as counter:
        async with scene.database.reading() as connection:
            counter.reach(await chain.walk(connection))
            broken = [probe.name for probe in await run_probes(connection) if not probe.holds]
    insist(not broken, f"these identities do not hold: {'; '.join(broken)}")
    return entries


async def attempts_recorded(scene: Scene) -> int:
    """Count the attempts that staff can see."""
    async with scene.database.reading() as connection:
        return int(await connection.scalar(select(func.count()).select_from(schema.attempt)) or 0)
