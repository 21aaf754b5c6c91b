"""The service running: everything that runs, started and stopped together.

    provider -> (poller | webhooks -> arrivals) -> inbox -> reader -> handlers -> desks -> clerk | ledger -> postman

One TaskGroup owns every long task; if one of them fails for good, all stop and the process ends with an error, for
whatever keeps processes alive to start it again: nothing is held in memory that a restart would miss.
"""

import asyncio
import socket
from collections.abc import Awaitable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError
from starlette.routing import BaseRoute

from bot.app.chores import Chore, keep
from bot.app.presence import Presence
from bot.chat.context import BotApplication
from bot.console.snapshot import Snapshots
from bot.edge import server as web
from bot.edge import telegram
from bot.edge.poller import KINDS, Poller
from bot.edge.turn import Turn
from bot.house import House
from bot.inbox import predecessors
from bot.inbox.arrivals import Arrivals
from bot.inbox.reader import Reader
from bot.staff import rights
from bot.staff_chat import menus
from messages.postman.postman import Postman
from voting.poll import polls
from voting.votes.clerk import Clerk

log = structlog.get_logger()


@dataclass
class Service:
    """A service put together and not yet running; `application` is None when Telegram is off."""

    house: House
    application: BotApplication | None
    clerk: Clerk
    postman: Postman
    reader: Reader
    arrivals: Arrivals
    poller: Poller | None
    turn: Turn | None  # None: whoever runs polls
    presence: Presence
    counts: Snapshots
    chores: Sequence[Chore]
    routes: Sequence[BaseRoute]

    async def run(
        self,
        stop: asyncio.Event,
        *,
        ready: asyncio.Event | None = None,
        listening: socket.socket | None = None,
        announces: bool = True,
    ) -> None:
        """Run until `stop`, then finish what is under way.

        A worker is given the socket that it shares with others (`listening`); one of them `announces` us to Telegram.
        """
        settings = self.house.settings
        taken = listening or web.bind(settings.host, settings.port)
        await self.postman.look()  # what a killed process sent last counts from here
        if self.application is not None and announces:
            await self._announce(self.application)
        async with self.house.database.writing() as connection:
            await predecessors.take_back(connection)
        async with self.house.database.reading() as connection:
            await rights.rights(connection)  # the chain is read once, before anybody waits for an answer
        postman_stop = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                postman = group.create_task(self.postman.run(postman_stop), name="postman")
                tasks = [group.create_task(work, name=name) for name, work in self._long_tasks().items()]
                server = group.create_task(web.Server(self.routes).run_on(taken), name="web")
                if ready is not None:
                    ready.set()
                await stop.wait()
                await _end([server])  # first the server: what is half handed over is still stored
                await self.arrivals.finish()
                await _end(tasks)
                if self.turn is not None:
                    await _if_reached(self.turn.give_up())
                await _if_reached(self.presence.end())
                await self.clerk.finish()
                postman_stop.set()
                await postman
        finally:
            taken.close()

    def _long_tasks(self) -> dict[str, Coroutine[Any, Any, None]]:
        tasks: dict[str, Coroutine[Any, Any, None]] = {chore.name: keep(chore) for chore in self.chores}
        tasks["reader"] = self.reader.run()
        tasks["counts"] = self.counts.begin()  # the console's first visitor does not wait for them
        if self.poller is not None and self.turn is not None:
            tasks["poller"] = self.turn.work_while_mine(self.poller.run)
        elif self.poller is not None:
            tasks["poller"] = self.poller.run()
        return tasks

    async def _announce(self, application: BotApplication) -> None:
        """Say hello to Telegram: a wrong token is found here, in one sentence."""
        settings, bot = self.house.settings, application.bot
        if url := settings.public_url:
            await telegram.patiently(lambda: telegram.register_webhook(bot, url, self.house.webhook_secret, KINDS))
        else:
            await telegram.patiently(lambda: telegram.forget_webhook(bot))
        async with self.house.database.reading() as connection:
            poll = await polls.load(connection)
        await telegram.patiently(lambda: menus.publish(bot, poll.languages))
        app_url = "" if poll.ways.page is False else settings.app_url
        await telegram.patiently(lambda: menus.publish_page(bot, poll.languages[0], app_url))


async def _if_reached(farewell: Awaitable[None]) -> None:
    """Say goodbye in the database; while it is away others find out by themselves that we are gone."""
    try:
        await farewell
    except (DBAPIError, OSError) as problem:
        log.warning("the database did not hear that this process ends", kind=type(problem).__name__)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
