"""The roll is imported, and every member's SMS channel becomes the number the roll has now, in one transaction."""

from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from messages.reach import sync_sms_channels
from messages.words.phone import phone_or_reason
from voting.csv_file import ImportReport, Progress
from voting.model import By
from voting.roll import roll
from voting.secrets_file import Secrets
from voting.store.database import Database


async def import_roll(
    database: Database,
    path: Path,
    secrets: Secrets,
    *,
    by: By,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Do as `voting.roll` does, and leave no number without a channel, whatever ends the process on the way."""

    async def sync(connection: AsyncConnection) -> None:
        await sync_sms_channels(connection, by.at)

    return await roll.import_roll(
        database, path, secrets, read_phone=phone_or_reason, by=by, dry_run=dry_run, progress=progress, on_taken=sync
    )
