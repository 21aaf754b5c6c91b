"""What every way in needs first: settings, an open database of the right version, the secrets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from bot import logs
from bot.settings import Settings, read_settings
from voting import secrets_file
from voting.audit.signer import Signer
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.store.revision import check

Result = TypeVar("Result")


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


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """Open the database and the secrets; SecretsMissing, DatabaseBehind, DatabaseTooNew, DatabaseUnreachable."""
    secrets = secrets_file.load(settings.secrets_file)
    database = Database(settings.database_url, Signer.beside(secrets, settings.secrets_file))
    try:
        await check(database)
        yield House(settings, database, secrets)
    finally:
        await database.close()


def in_house(act: Callable[[House], Awaitable[Result]]) -> Result:
    """Run `act` in the house that the environment names, then close it: most commands do so. Raises as `open_house`."""

    async def work() -> Result:
        settings = read_settings()
        logs.configure(
            settings.log_level if settings.log_level != "INFO" else "WARNING", json_lines=settings.json_lines
        )
        async with open_house(settings) as house:
            return await act(house)

    return asyncio.run(work())
