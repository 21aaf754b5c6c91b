"""A report of a missing pack, whatever happens after it, wherever: whom it waits for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from prepared import NOW, SECRETS, later, line, make_poll, take_roll, write_roll
from sqlalchemy import insert, select

from bot.member.missing_packs import count_waiting, finish_report, note_report, reported_at, reports
from voting import schema
from voting.model import By
from voting.packs import packs
from voting.packs.packs import Printing
from voting.roll import roll
from voting.store.database import Database

MEMBER_NO = "1"


@dataclass
class Post:
    """What happens to one member's pack; each step an hour after the one before."""

    database: Database
    folder: Path
    hours: int = 0

    def now(self) -> datetime:
        self.hours += 1
        return later(hours=self.hours)

    async def reports(self) -> None:
        async with self.database.writing() as connection:
            member = await roll.find(connection, MEMBER_NO)
            await note_report(connection, member.id, "telegram:7", self.now())

    async def asked(self) -> None:
        async with self.database.writing() as connection:
            await packs.ask_replacement(connection, MEMBER_NO, "lost", by=By("Gwen", "chat", self.now()))

    async def agreed(self) -> None:
        async with self.database.writing() as connection:
            await packs.approve_replacement(connection, MEMBER_NO, by=By("Huw", "console", self.now()))

    async def printed(self) -> None:
        now = self.now()
        printing = Printing(self.folder / f"{self.hours}.csv", "https://t.me/example_bot")
        by = By("Huw", "command line", now)
        await packs.issue_replacement(self.database, SECRETS, MEMBER_NO, printing, by=by)

    async def on_the_command_line(self) -> None:
        printing = Printing(self.folder / "new.csv", "https://t.me/example_bot")
        for name in ("Gwen", "Huw"):
            by = By(name, "command line", self.now())
            await packs.replace(self.database, SECRETS, MEMBER_NO, printing, reason="lost", by=by)

    async def done(self) -> None:
        async with self.database.writing() as connection:
            await finish_report(connection, MEMBER_NO, by=By("Gwen", "console", self.now()))

    async def votes(self) -> None:
        async with self.database.writing() as connection:
            member = await roll.find(connection, MEMBER_NO)
            pack = await connection.scalar(select(schema.pack.c.id).where(schema.pack.c.member_id == member.id))
            await connection.execute(
                insert(schema.lock).values(member_id=member.id, pack_id=pack, how="post", at=self.now())
            )


Step = Callable[[Post], Awaitable[None]]


@pytest.fixture
async def post(database: Database, tmp_path: Path) -> Post:
    await make_poll(database)
    path = write_roll(tmp_path / "roll.csv", [line(number, name=f"Ada {number}") for number in ("1", "2")])
    await take_roll(database, path)
    printing = Printing(tmp_path / "print.csv", "https://t.me/example_bot", None, (path,))
    await packs.issue(database, SECRETS, printing, by=By("Gwen", "command line", NOW))
    return Post(database, tmp_path)


# steps -> (waits for staff, in the list with what is to be printed, for the member open since which hour)
HISTORIES: dict[str, tuple[list[Step], tuple[bool, bool, int | None]]] = {
    "reported": ([Post.reports], (True, True, 1)),
    "reported twice": ([Post.reports, Post.reports], (True, True, 1)),
    "asked by one person": ([Post.reports, Post.asked], (True, True, 1)),
    "agreed by another": ([Post.reports, Post.asked, Post.agreed], (False, True, 1)),
    "agreed, and reported again": ([Post.reports, Post.asked, Post.agreed, Post.reports], (False, True, 1)),
    "printed": ([Post.reports, Post.asked, Post.agreed, Post.printed], (False, False, None)),
    "replaced on the command line": ([Post.reports, Post.on_the_command_line], (False, False, None)),
    "the new pack missing too": ([Post.reports, Post.on_the_command_line, Post.reports], (True, True, 4)),
    "replaced before anybody reported": ([Post.on_the_command_line, Post.reports], (True, True, 3)),
    "asked and agreed before the report": ([Post.asked, Post.agreed, Post.reports], (False, True, 3)),
    "done": ([Post.reports, Post.done], (False, False, None)),
    "done, and reported again": ([Post.reports, Post.done, Post.reports], (True, True, 3)),
    "done twice": ([Post.reports, Post.done, Post.done], (False, False, None)),
    "found, and voted": ([Post.reports, Post.votes], (False, False, None)),
    "nothing reported": ([Post.asked], (False, False, None)),
}


@pytest.mark.parametrize("history", HISTORIES)
async def test_a_report_waits_until_somebody_answered_it(post: Post, history: str) -> None:
    steps, (waits, listed, open_since) = HISTORIES[history]

    for step in steps:
        await step(post)

    async with post.database.reading() as connection:
        member = await roll.find(connection, MEMBER_NO)
        waiting = [row.member_no for row in await reports(connection, 10)]
        with_unprinted = [row.member_no for row in await reports(connection, 10, unprinted=True)]
        since = await reported_at(connection, member.id)
        assert await count_waiting(connection) == len(waiting)
    assert waiting == [MEMBER_NO] * waits
    assert with_unprinted == [MEMBER_NO] * listed
    assert since == (None if open_since is None else later(hours=open_since))


async def test_a_report_says_who_asked_and_who_agreed(post: Post) -> None:
    await post.reports()
    await post.asked()
    await post.agreed()

    async with post.database.reading() as connection:
        (row,) = await reports(connection, 10, unprinted=True)

    assert (row.asked_by, row.approved_by, row.reported_at) == ("Gwen", "Huw", later(hours=1))
