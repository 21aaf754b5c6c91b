"""What `run --processes` does: it takes the address and lets workers serve on it."""

from bot.app.supervisor import Supervisor, command_of
from bot.commands.begun import stopped_by_signals, told
from bot.edge import server as web
from bot.settings import Settings
from voting.refusals import StaffRefusal
from voting.store.database import Database


class OneProcess(StaffRefusal):
    """SQLite serves one process; for {processes} of them set BALLOTLINE_DATABASE_URL to a PostgreSQL database."""


async def supervise(settings: Settings, processes: int) -> int:
    """Run several workers until Ctrl-C or SIGTERM; give 0, or the exit code of one that could not begin.

    OneProcess, PortTaken, AddressWrong.
    """
    database = Database(settings.database_url)
    await database.close()
    if database.is_sqlite:
        raise OneProcess(processes=processes)
    with web.bind(settings.host, settings.port) as listening:
        stop = stopped_by_signals()
        async with told(settings, None) as ready:
            return await Supervisor(processes, listening, command_of("bot.worker")).run(stop, ready=ready)
