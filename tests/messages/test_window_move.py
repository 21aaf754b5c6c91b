"""The window moves and notices of the older days end, as one act."""

from datetime import date

import pytest
from ballot_town import NOW, chats, make_members, make_poll, send_notice, states

from messages.notices.notices import list_notices
from messages.window_move import move_window
from voting.model import By
from voting.poll import window
from voting.refusals import WindowBackwards
from voting.store.database import Database

HUW = By("Huw", "chat", NOW)


async def town(database: Database) -> None:
    await make_poll(database, approve_over=10)
    await make_members(database, 3, telegram=chats(3))


async def test_what_is_queued_with_older_days_is_stopped_and_counted(database: Database) -> None:
    await town(database)
    delayed = await send_notice(database)
    queued = sum((await states(database, delayed.id)).values())

    async with database.writing() as connection:
        moved = await move_window(connection, date(2022, 8, 1), date(2022, 8, 10), "strike", by=HUW)
        assert moved.window == await window.current(connection)
        assert [one.state for one in await list_notices(connection)] == ["superseded"]

    assert (moved.window.last_day, moved.window.set_by, moved.window.set_at) == (date(2022, 8, 10), "Huw", NOW)
    assert moved.stopped == queued > 0


async def test_days_that_cannot_be_stop_nothing(database: Database) -> None:
    await town(database)
    await send_notice(database)

    with pytest.raises(WindowBackwards):
        async with database.writing() as connection:
            await move_window(connection, date(2022, 8, 10), date(2022, 8, 1), "strike", by=HUW)

    async with database.reading() as connection:
        assert [one.state for one in await list_notices(connection)] == ["sending"]
