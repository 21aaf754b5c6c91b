"""The work behind an import: a file is tried or taken in the background, and what came of it stands in its note."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from bot.alerts import hooks
from bot.console.refusals import said
from bot.console.sessions import VIA
from bot.console.speech import FALLBACK_ZONE, Speech
from bot.console.uploads import Upload, Uploads
from bot.console.visit import Console, load_poll
from messages.roll_import import import_roll
from messages.words.texts import text
from voting.imports.report import Agreed, ImportReport, report_path, write_report
from voting.model import By
from voting.packs.mailing_house import update_events
from voting.post import scans
from voting.refusals import Refusal
from voting.roll.leaving import lapse_file

KINDS: Final = ("roll", "lapse", "pack_events", "postal")

log = structlog.get_logger()


class ImportWork:
    """Tries and takes uploads, each in a task of its own."""

    def __init__(self, console: Console, uploads: Uploads) -> None:
        self._console, self._uploads = console, uploads
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, upload: Upload, actor: str, agreed: Agreed, *, dry_run: bool) -> None:
        """Begin with one file; its state is `trying` or `taking`."""
        await self._uploads.begin(upload)
        task = asyncio.create_task(self._work(upload, actor, agreed, dry_run=dry_run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, upload: Upload, actor: str, agreed: Agreed, *, dry_run: bool) -> None:
        try:
            report = await self._import(upload, By(actor, VIA, self._console.now()), agreed, dry_run=dry_run)
        except Refusal as refusal:
            upload.fail(await self._sayer(refusal))
        except Exception:  # the outermost edge of this work: whoever waits is told
            log.exception("an import broke", kind=upload.kind)
            upload.fail(lambda language: text("console", "import.broke", language))
        else:
            upload.state = "tried" if dry_run or report.needs else "taken"
            upload.take_in(report)
            await asyncio.to_thread(write_report, report_path(self._uploads.file(upload.id)), report.rows)
            if upload.state == "taken":
                await self._console.snapshots.expire()
        finally:
            await self._uploads.end(upload)
        if upload.state == "taken" and upload.kind != "roll":
            await self._uploads.forget(upload.id, whole=False)

    async def _sayer(self, refusal: Refusal) -> Callable[[str], str]:
        async with self._console.house.database.reading() as connection:
            poll = await load_poll(connection)
        zone = poll.timezone if poll else FALLBACK_ZONE
        return lambda language: said(refusal, Speech(language, self._console.now(), zone))

    async def _import(self, upload: Upload, by: By, agreed: Agreed, *, dry_run: bool) -> ImportReport:
        house, path = self._console.house, self._uploads.file(upload.id)
        database, keys, progress = house.database, house.secrets, _counter(upload)
        if upload.kind == "lapse":
            why = upload.reason
            return await lapse_file(database, path, why, by=by, agreed=agreed, dry_run=dry_run, progress=progress)
        if upload.kind == "pack_events":
            return await update_events(database, path, keys, by=by, dry_run=dry_run, progress=progress)
        if upload.kind == "postal":
            on_attempt = hooks.on_attempt
            return await scans.import_postal(
                database, path, keys, on_attempt=on_attempt, by=by, dry_run=dry_run, progress=progress
            )
        return await import_roll(database, path, keys, by=by, agreed=agreed, dry_run=dry_run, progress=progress)


def _counter(upload: Upload) -> Callable[[int], None]:
    def progress(rows: int) -> None:
        upload.rows = rows

    return progress
