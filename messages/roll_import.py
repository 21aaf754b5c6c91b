"""The roll is imported, and every member's SMS channel becomes the number the roll has now, in one transaction."""

from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from messages.reach import sync_sms_channels
from messages.words.phone import phone_or_reason
from voting.imports.report import NOTHING_AGREED, Agreed
from voting.imports.taking import Progress
from voting.model import By
from voting.roll import importing
from voting.roll.importing import RollReport
from voting.secrets_file import Secrets
from voting.store.database import Database


async def import_roll(
    database: Database,
    path: Path,
    secrets: Secrets,
    *,
    by: By,
    agreed: Agreed = NOTHING_AGREED,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> RollReport:
    """Do as `voting.roll` does, and leave no number without a channel, whatever ends the process on the way."""

    async def sync(connection: AsyncConnection) -> None:
        await sync_sms_channels(connection, by.at)

    return await importing.import_roll(
        database,
        path,
        secrets,
        read_phone=phone_or_reason,
        by=by,
        agreed=agreed,
        dry_run=dry_run,
        progress=progress,
        on_taken=sync,
    )
