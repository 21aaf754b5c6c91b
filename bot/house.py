"""What every way in needs first: settings, an open database of the right version, the secrets."""

import getpass
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.settings import Settings
from voting import secrets_file
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.store.upgrade import check


def clock() -> datetime:
    """Give the time now; the one place that asks the machine."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class House:
    """An open house; `database` is migrated to this program's schema, `clock` gives the time now."""

    settings: Settings
    database: Database
    secrets: Secrets
    clock: Callable[[], datetime] = clock

    @property
    def webhook_secret(self) -> str:
        """Give what Telegram sends along with each update: the setting, or what `init` made."""
        given = self.settings.telegram_webhook_secret
        return given.get_secret_value() if given else self.secrets.webhook_secret


def login_name() -> str:
    """Give the name that the chain records for who typed a command without `--as`."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """Open the database and the secrets; SecretsMissing, DatabaseBehind, DatabaseTooNew, DatabaseUnreachable."""
    secrets = secrets_file.load(settings.secrets_file)
    database = Database(settings.database_url)
    try:
        await check(database)
        yield House(settings, database, secrets)
    finally:
        await database.close()
