"""A rehearsal before its first vote: poll and key, the roll's import, the packs, the opening."""

import asyncio
from typing import Final

from voting.model import Window
from voting.packs import packs
from voting.poll import polls
from voting.poll.keys import DEALER
from voting.rehearsal.failed import insist
from voting.rehearsal.people import write_roll
from voting.rehearsal.scene import ACTOR, Scene
from voting.roll.importing import import_roll
from voting.roll.rows import ReadPhone
from voting.trustees.dealer import deal_all, write_dealt

TRUSTEES: Final = 3
THRESHOLD: Final = 2
BOT_URL: Final = "https://t.me/rehearsal_bot"


async def set_up(scene: Scene, read_phone: ReadPhone) -> None:
    """Make the poll, import everybody, make their packs, open."""
    await _make_poll(scene)
    await _import(scene, read_phone)
    await _issue(scene)
    with scene.watch.stage("opening", 1, "poll") as counter:
        async with scene.database.writing() as connection:
            scene.poll = await polls.open_poll(connection, by=scene.by)
        counter.add()


async def _make_poll(scene: Scene) -> None:
    scene.shares.mkdir(mode=0o700)
    dealt = await asyncio.to_thread(deal_all, TRUSTEES, THRESHOLD)
    write_dealt(scene.shares, dealt)
    today = scene.clock().date()
    async with scene.database.writing() as connection:
        window = Window(1, today, today, "rehearsal", scene.clock(), ACTOR)
        scene.poll = await polls.init(connection, scene.poll, window, scene.secrets, by=scene.by)
        await polls.set_trustees(connection, dealt.trustees.data, DEALER, by=scene.by)


async def _import(scene: Scene, read_phone: ReadPhone) -> None:
    members, path = scene.plan.members, scene.folder / "roll.csv"
    with scene.watch.stage("a roll of made-up people", members, "rows") as counter:
        write_roll(path, members, joined_by=scene.poll.joined_by, random=scene.random, progress=counter.reach)
    with scene.watch.stage("import: the roll", members, "rows") as counter:
        report = await import_roll(
            scene.database, path, scene.secrets, read_phone=read_phone, by=scene.by, progress=counter.reach
        )
    insist(report.added == members, f"{report.added:,} of {members:,} members were imported")


async def _issue(scene: Scene) -> None:
    members = scene.plan.members
    with scene.watch.stage("packs: credentials and the print file", members, "packs") as counter:
        printing = packs.Printing(scene.folder / "print.csv", BOT_URL)
        issued = await packs.issue(scene.database, scene.secrets, printing, by=scene.by, progress=counter.reach)
    insist(issued.packs == members, f"{issued.packs:,} packs were issued for {members:,} members")
