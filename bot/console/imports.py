"""Imports: a file is uploaded, tried without leaving a trace, reported row by row, and taken when somebody confirms."""

import secrets as randomness
from pathlib import Path
from typing import Final

from sqlalchemy import select
from starlette.responses import FileResponse, Response

from bot.console.door import Action, Screen
from bot.console.import_work import KINDS, ImportWork
from bot.console.uploads import ROWS_SHOWN_MAX, Upload, UploadGone, Uploads
from bot.console.visit import Console, FormWrong, Visit
from bot.staff.roles import Act
from voting.imports.report import Agreed, Asks, report_path
from voting.refusals import StaffRefusal
from voting.schema import roll_file
from voting.typed_text import one_line

REASON_CHARACTERS_MAX: Final = 300
SHOWN_MAX: Final = {"shown_max": ROWS_SHOWN_MAX, "pairs_max": 50}


class UploadNotReady(StaffRefusal):
    """That upload is {state} now, so it cannot be taken."""


class Imports:
    """The pages of imports."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._uploads = Uploads(console.house.settings.secrets_file.resolve().parent / "ballotline-uploads")
        self._work = ImportWork(console, self._uploads)

    async def show_list(self, visit: Visit) -> Response:
        """Show what can be uploaded, and what was."""
        uploads = await self._uploads.newest_first(visit.now)
        async with self._console.house.database.reading() as connection:
            files = select(roll_file).order_by(roll_file.c.imported_at.desc()).limit(1)
            known = (await connection.execute(files)).first()
            return await visit.page(connection, "imports.html", uploads=uploads, roll_file=known, kinds=KINDS)

    async def show_one(self, visit: Visit) -> Response:
        """Show one upload: its progress, or what it would change, or changed."""
        upload = await self._find(visit)
        async with self._console.house.database.reading() as connection:
            return await visit.page(connection, "import.html", upload=upload, **SHOWN_MAX)

    async def show_state(self, visit: Visit) -> Response:
        """Show its state alone, while it moves."""
        upload = await self._find(visit)
        async with self._console.house.database.reading() as connection:
            return await visit.part(connection, "_import.html", upload=upload, **SHOWN_MAX)

    async def show_report(self, visit: Visit) -> Response:
        """Give the whole report as a file."""
        upload = await self._find(visit)
        path = report_path(self._uploads.file(upload.id))
        if not path.is_file():
            raise UploadGone
        return FileResponse(path, filename=f"{upload.name}.report.csv", media_type="text/csv")

    async def upload(self, visit: Visit) -> Response:
        """Keep a file and try it."""
        kind = visit.word("kind")
        if kind not in KINDS:
            raise FormWrong(field="file_kind")
        reason = one_line(visit.word("reason"))[:REASON_CHARACTERS_MAX] if kind == "lapse" else ""
        if kind == "lapse" and not reason:
            raise FormWrong(field="lapse_reason")
        given = visit.upload("file")
        upload_id = randomness.token_hex(12)
        digest = await self._uploads.keep(given, upload_id)
        name, actor = Path(given.filename or "file").name[:80], visit.guest.staff.name
        found = Upload(upload_id, kind, name, actor, visit.now.isoformat(), digest, "trying", reason)
        await self._work.start(found, actor, Agreed(), dry_run=True)
        return visit.back(f"/console/imports/{upload_id}")

    async def confirm(self, visit: Visit) -> Response:
        """Take the file that was tried."""
        found = await self._find(visit)
        if found.state != "tried":
            raise UploadNotReady(state=found.state)
        agreed = _agreed(found, visit)
        found.state, found.rows = "taking", 0
        await self._work.start(found, visit.guest.staff.name, agreed, dry_run=False)
        return visit.back(f"/console/imports/{found.id}")

    async def discard(self, visit: Visit) -> Response:
        """Delete an upload that was not taken."""
        found = await self._find(visit)
        if found.moving or (found.state == "taken" and found.kind == "roll"):
            raise UploadNotReady(state=found.state)
        await self._uploads.forget(found.id, whole=True)
        return visit.back("/console/imports")

    def screens(self) -> tuple[Screen, ...]:
        """Give what can be looked at."""
        one = "/imports/{upload_id:str}"
        return (
            Screen("/imports", Act.IMPORT_FILES, self.show_list),
            Screen(one, Act.IMPORT_FILES, self.show_one),
            Screen(f"{one}/state", Act.IMPORT_FILES, self.show_state),
            Screen(f"{one}/report.csv", Act.IMPORT_FILES, self.show_report),
        )

    def actions(self) -> tuple[Action, ...]:
        """Give what can be done."""
        one = "/imports/{upload_id:str}"
        return (
            Action("/imports", Act.IMPORT_FILES, self.upload, self.show_list),
            Action(f"{one}/confirm", Act.IMPORT_FILES, self.confirm, self.show_one),
            Action(f"{one}/discard", Act.IMPORT_FILES, self.discard, self.show_one),
        )

    async def _find(self, visit: Visit) -> Upload:
        return await self._uploads.find(str(visit.request.path_params["upload_id"]))


def _agreed(found: Upload, visit: Visit) -> Agreed:
    """Give what the form agrees to: all that was asked; FormWrong when something is not ticked."""
    for need in found.asks:
        if not visit.word(f"agree_{need['asks']}"):
            raise FormWrong(field="answer")
    pairs = frozenset(frozenset(pair) for need in found.asks for pair in need["pairs"])
    return Agreed(sizes=any(need["asks"] != Asks.PAIRS for need in found.asks), distinct=pairs)
