"""Imports: a file is uploaded, tried without leaving a trace, reported row by row, and taken when somebody confirms.

Uploads wait in a folder beside the secrets file, 0600, each with a small note of where it stands. A roll stays there:
packs are addressed from it. Other files are deleted once taken or discarded; undecided ones after a day.
"""

import asyncio
import hashlib
import json
import re
import secrets as randomness
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import select
from starlette.datastructures import UploadFile
from starlette.responses import FileResponse, Response

from bot.alerts import hooks
from bot.console.door import Deed, Screen
from bot.console.sessions import VIA
from bot.console.visit import Console, FormWrong, Visit, sentence, zone_of
from bot.staff.roles import Act
from messages.roll_import import import_roll
from voting import schema
from voting.imports.report import Agreed, Asks, ImportReport, report_path, write_report
from voting.model import By
from voting.packs.mailing_house import update_events
from voting.post import scans
from voting.refusals import Refusal, StaffRefusal

KINDS: Final = ("roll", "pack_events", "postal")
FILE_BYTES_MAX: Final = 200 * 1024 * 1024
PIECE_BYTES: Final = 1024 * 1024
KEPT_FOR: Final = timedelta(days=1)
ROWS_SHOWN_MAX: Final = 200
REASONS_SHOWN_MAX: Final = 30
SHOWN_MAX: Final = {"shown_max": ROWS_SHOWN_MAX, "pairs_max": 50}
ID: Final = re.compile(r"[a-f0-9]{24}")
MOVING: Final = frozenset({"trying", "taking"})

log = structlog.get_logger()


class UploadTooLarge(StaffRefusal):
    """The file is larger than {megabytes} MB; use the command line on the server instead."""


class UploadGone(StaffRefusal):
    """That upload is not here any more; upload the file again."""


class UploadNotReady(StaffRefusal):
    """That upload is {state} now, so it cannot be taken."""


@dataclass(slots=True)
class Upload:
    """An upload as its note tells. `state`: trying, tried, taking, taken, failed; `rows` of how far it is."""

    id: str
    kind: str
    name: str
    by: str
    at: str
    sha256: str
    state: str
    rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    problem: str = ""
    report: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[tuple[str, str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    asks: list[dict[str, Any]] = field(default_factory=list)  # what somebody has to agree to before it is taken

    @property
    def moving(self) -> bool:
        """Whether something is being done with it now."""
        return self.state in MOVING


def _note_report(found: Upload, report: ImportReport) -> None:
    """Keep what the page shows of a report."""
    found.counts = report.counts()
    found.report = [asdict(row) for row in report.rows[:ROWS_SHOWN_MAX]]
    found.reasons = [(str(level), reason, rows) for level, reason, rows in report.reasons()[:REASONS_SHOWN_MAX]]
    found.notes = report.notes
    found.asks = [{"asks": need.asks, "sentence": need.sentence, "pairs": need.pairs} for need in report.needs]


def _agreed(found: Upload, visit: Visit) -> Agreed:
    """Give what the form agrees to: all that was asked; FormWrong when something is not ticked."""
    for need in found.asks:
        if not visit.word(f"agree_{need['asks']}"):
            raise FormWrong(field="your answer to what is asked")
    pairs = frozenset(frozenset(pair) for need in found.asks for pair in need["pairs"])
    return Agreed(sizes=any(need["asks"] != Asks.PAIRS for need in found.asks), distinct=pairs)


class Imports:
    """The pages of imports, and the work behind them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._folder: Final = console.house.settings.secrets_file.resolve().parent / "ballotline-uploads"
        self._working: dict[str, Upload] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def show_list(self, visit: Visit) -> Response:
        """Show what can be uploaded, and what was."""
        uploads = await asyncio.to_thread(self._uploads, visit.now)
        async with self._console.house.database.reading() as connection:
            files = select(schema.roll_file).order_by(schema.roll_file.c.imported_at.desc()).limit(1)
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
        path = report_path(self._file(upload.id))
        if not path.is_file():
            raise UploadGone
        return FileResponse(path, filename=f"{upload.name}.report.csv", media_type="text/csv")

    async def upload(self, visit: Visit) -> Response:
        """Keep a file and try it."""
        kind = visit.word("kind")
        if kind not in KINDS:
            raise FormWrong(field="kind of file")
        given = visit.upload("file")
        upload_id = randomness.token_hex(12)
        digest = await self._keep(given, upload_id)
        name = Path(given.filename or "file").name[:80]
        found = Upload(upload_id, kind, name, visit.guest.staff.name, visit.now.isoformat(), digest, "trying")
        await self._start(found, visit, Agreed(), dry_run=True)
        return visit.back(f"/console/imports/{upload_id}")

    async def confirm(self, visit: Visit) -> Response:
        """Take the file that was tried."""
        found = await self._find(visit)
        if found.state != "tried":
            raise UploadNotReady(state=found.state)
        agreed = _agreed(found, visit)
        found.state, found.rows = "taking", 0
        await self._start(found, visit, agreed, dry_run=False)
        return visit.back(f"/console/imports/{found.id}")

    async def discard(self, visit: Visit) -> Response:
        """Delete an upload that was not taken."""
        found = await self._find(visit)
        if found.moving or (found.state == "taken" and found.kind == "roll"):
            raise UploadNotReady(state=found.state)
        await asyncio.to_thread(self._forget, found.id, whole=True)
        return visit.back("/console/imports")

    # -- the work ------------------------------------------------------------------------

    async def _start(self, found: Upload, visit: Visit, agreed: Agreed, *, dry_run: bool) -> None:
        self._working[found.id] = found
        await asyncio.to_thread(self._note, found)
        task = asyncio.create_task(self._work(found, visit.guest.staff.name, agreed, dry_run=dry_run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, found: Upload, actor: str, agreed: Agreed, *, dry_run: bool) -> None:
        """Try or take one file; whatever comes of it stands in its note."""

        def progress(rows: int) -> None:
            found.rows = rows

        try:
            by = By(actor, VIA, self._console.now())
            report = await self._import(found, by, agreed, dry_run=dry_run, progress=progress)
        except Refusal as refusal:
            found.state, found.problem = "failed", sentence(refusal, await zone_of(self._console))
        except Exception:  # the outermost edge of this work: whoever waits is told
            log.exception("an import broke", kind=found.kind)
            found.state, found.problem = "failed", "Something of ours broke; nothing was taken. Tell the operator."
        else:
            found.state = "tried" if dry_run or report.needs else "taken"
            _note_report(found, report)
            await asyncio.to_thread(write_report, report_path(self._file(found.id)), report.rows)
            if found.state == "taken":
                self._console.snapshots.spoil()
        finally:
            await asyncio.to_thread(self._note, found)
            self._working.pop(found.id, None)
        if found.state == "taken" and found.kind != "roll":
            await asyncio.to_thread(self._forget, found.id, whole=False)

    async def _import(
        self, found: Upload, by: By, agreed: Agreed, *, dry_run: bool, progress: Callable[[int], None]
    ) -> ImportReport:
        house, path = self._console.house, self._file(found.id)
        if found.kind == "pack_events":
            return await update_events(house.database, path, house.secrets, by=by, dry_run=dry_run, progress=progress)
        if found.kind == "postal":
            return await scans.import_postal(
                house.database,
                path,
                house.secrets,
                on_attempt=hooks.on_attempt,
                by=by,
                dry_run=dry_run,
                progress=progress,
            )
        return await import_roll(
            house.database,
            path,
            house.secrets,
            by=by,
            agreed=agreed,
            dry_run=dry_run,
            progress=progress,
        )

    # -- files ---------------------------------------------------------------------------

    async def _keep(self, given: UploadFile, upload_id: str) -> str:
        await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        path, digest, size = self._file(upload_id), hashlib.sha256(), 0
        path.touch(mode=0o600)
        with path.open("wb") as file:
            while piece := await given.read(PIECE_BYTES):
                size += len(piece)
                if size > FILE_BYTES_MAX:
                    path.unlink()
                    raise UploadTooLarge(megabytes=FILE_BYTES_MAX // 1024**2)
                digest.update(piece)
                await asyncio.to_thread(file.write, piece)
        return digest.hexdigest()

    async def _find(self, visit: Visit) -> Upload:
        upload_id = str(visit.request.path_params["upload_id"])
        if upload_id in self._working:
            return self._working[upload_id]
        found = await asyncio.to_thread(self._read, upload_id)
        if found is None:
            raise UploadGone
        return found

    def _file(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}.csv"

    def _note(self, found: Upload) -> None:
        path = self._folder / f"{found.id}.json"
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(found)), encoding="utf-8")
        fresh.replace(path)

    def _read(self, upload_id: str) -> Upload | None:
        if not ID.fullmatch(upload_id):
            return None
        try:
            found = Upload(**json.loads((self._folder / f"{upload_id}.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        if found.moving:  # the process ended during the import; each import is one transaction, so nothing is half done
            found.state, found.problem = "failed", "The service was restarted meanwhile. Upload the file again."
        return found

    def _uploads(self, now: datetime) -> list[Upload]:
        """Give what is here, newest first; forget what was never decided."""
        found = [self._working.get(path.stem) or self._read(path.stem) for path in self._folder.glob("*.json")]
        kept = []
        for upload in found:
            if upload is None:
                continue
            if upload.state in {"tried", "failed"} and now - datetime.fromisoformat(upload.at) > KEPT_FOR:
                self._forget(upload.id, whole=True)
            else:
                kept.append(upload)
        return sorted(kept, key=lambda upload: upload.at, reverse=True)

    def _forget(self, upload_id: str, *, whole: bool) -> None:
        self._file(upload_id).unlink(missing_ok=True)
        if whole:
            report_path(self._file(upload_id)).unlink(missing_ok=True)
            (self._folder / f"{upload_id}.json").unlink(missing_ok=True)

    def screens(self) -> tuple[Screen, ...]:
        """Give what can be looked at."""
        one = "/imports/{upload_id:str}"
        return (
            Screen("/imports", Act.IMPORT_FILES, self.show_list),
            Screen(one, Act.IMPORT_FILES, self.show_one),
            Screen(f"{one}/state", Act.IMPORT_FILES, self.show_state),
            Screen(f"{one}/report.csv", Act.IMPORT_FILES, self.show_report),
        )

    def deeds(self) -> tuple[Deed, ...]:
        """Give what can be done."""
        one = "/imports/{upload_id:str}"
        return (
            Deed("/imports", Act.IMPORT_FILES, self.upload, self.show_list),
            Deed(f"{one}/confirm", Act.IMPORT_FILES, self.confirm, self.show_one),
            Deed(f"{one}/discard", Act.IMPORT_FILES, self.discard, self.show_one),
        )
