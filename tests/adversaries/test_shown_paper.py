"""The database's owner swaps the options for the moment in which a paper is shown, and puts them back."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from forged_chain import without_triggers
from sqlalchemy import update
from town import Town

from bot.app import chores
from bot.inbox import reader
from voting import schema
from voting.poll import polls
from voting.poll.questions import written_questions
from voting.store.database import Database


async def options_are(database: Database, *options: dict[str, str]) -> None:
    async with database.writing() as connection:
        await without_triggers(connection, "poll")
        (question,) = (await polls.load(connection)).questions
        turned = written_questions([replace(question, options=options)])
        await connection.execute(update(schema.poll).values(questions=turned))


async def test_options_swapped_while_a_paper_is_shown_move_no_vote(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried: Ada pressed North, her good ballot was for South, and after the swap back `verify` said OK.

    Guard: `load_bound`: nobody is shown another poll than the signed opening bound; staff are told.
    """
    monkeypatch.setattr(chores, "PROBES_EVERY", timedelta(seconds=0.2))
    monkeypatch.setattr(reader, "RETRY_AFTER", timedelta(seconds=0.05))  # until what Sian sent is given up
    async with Town(database, tmp_path) as town:
        gwen, ada, sian = await town.staff("gwen"), town.member("ada"), town.member("sian")
        await town.member("bob").votes("South Quay")
        as_it_was = town.poll.questions[0].options
        await options_are(database, *as_it_was[::-1])

        await gwen.hears("The books do not add up")
        await sian.types("/vote")
        await town.settles()
        assert not any("read the rule" in message.words for message in sian.person.chat.log)  # the way to the paper
        assert await town.locks() == 1

        await options_are(database, *as_it_was)
        await ada.votes("North Quay")
        assert [await town.count(option) for option in ("North Quay", "South Quay")] == [1, 1]
