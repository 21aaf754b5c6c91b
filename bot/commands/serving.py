"""What `run` does in one process: the service from its upgrade of the database to the signal that ends it."""

import gc
from typing import Final

from bot.app.assembly import assemble
from bot.app.place import Place
from bot.commands.begun import stopped_by_signals, told
from bot.commands.bringing_up import bring_up_to_date
from bot.house import House
from bot.settings import Settings
from voting import secrets_file
from voting.audit.signer import Signer
from voting.store.database import Database

GARBAGE_AFTER: Final = (50_000, 20, 20)  # objects, and collections of each younger generation; Python's: 700, 10, 10


async def serve(settings: Settings, place: Place | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM, then give 0; a refusal or fault of the service comes in an exception group.

    At a `place`, serve as one of several workers, until their supervisor is gone too.
    """
    secrets = secrets_file.load(settings.secrets_file)
    database = Database(settings.database_url, Signer.beside(secrets, settings.secrets_file))
    try:
        await bring_up_to_date(settings, database, secrets)
        async with assemble(House(settings, database, secrets), place=place) as service:
            stop = stopped_by_signals()
            if place is not None:
                place.watch(stop)
            _look_for_garbage_less_often()
            async with told(settings, place) as ready:
                await service.run(
                    stop,
                    ready=ready,
                    listening=None if place is None else place.listening_socket(),
                    announces=place is None or place.is_first,
                )
    finally:
        await database.close()
    return 0


def _look_for_garbage_less_often() -> None:
    """Leave out what is there now, which stays as long as the process: looking through it cost a vote a tenth more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_AFTER)
