"""Before the service starts, and with `init`: the database at this program's schema, and a word about it."""

import structlog

from bot.commands.after_backup import WITHHELD
from bot.commands.spoken import text
from bot.commands.terminal import error_line
from bot.house import clock
from bot.settings import Settings
from voting.backup import upgrading
from voting.secrets_file import Secrets
from voting.store.database import Database

log = structlog.get_logger()


async def bring_up_to_date(settings: Settings, database: Database, secrets: Secrets) -> None:
    """Upgrade the database where it is behind; say so, and where the backup of what was there before lies."""
    folder = settings.secrets_file.absolute().parent
    done = await upgrading.bring_up_to_date(database, secrets, folder, now=clock(), withheld=WITHHELD)
    if done is None:
        return
    if settings.json_lines:
        log.info("the database was upgraded", before=done.before, revision=done.revision, backup=str(done.backup.file))
        return
    files = {"file": str(done.backup.file), "secrets": str(done.backup.secrets_file)}
    error_line(text("commands", "database.brought", before=done.before, revision=done.revision, **files))
