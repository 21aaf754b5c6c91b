"""Files that were uploaded: kept in a folder beside the secrets file, 0600, each with a small note of where it stands.

A roll stays there: packs are addressed from it. Other files are deleted once taken or discarded; undecided ones after
a day.
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

from starlette.datastructures import UploadFile

from bot.inbox import predecessors
from messages.words.texts import languages, text
from voting.imports.report import ImportReport, report_path
from voting.refusals import StaffRefusal

FILE_BYTES_MAX: Final = 200 * 1024 * 1024
PIECE_BYTES: Final = 1024 * 1024
KEPT_FOR: Final = timedelta(days=1)
ROWS_SHOWN_MAX: Final = 200
REASONS_SHOWN_MAX: Final = 30
ID: Final = re.compile(r"[a-f0-9]{24}")
MOVING: Final = frozenset({"trying", "taking"})
UNDECIDED: Final = frozenset({"tried", "failed"})


class UploadTooLarge(StaffRefusal):
    """The file is larger than {megabytes} MB; use the command line on the server instead."""


class UploadGone(StaffRefusal):
    """That upload is not here any more; upload the file again."""


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
    reason: str = ""  # why the members in it may not vote any more
    rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    problem: dict[str, str] = field(default_factory=dict)  # why nothing was taken, by language
    report: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[tuple[str, str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    asks: list[dict[str, Any]] = field(default_factory=list)  # what somebody has to agree to before it is taken
    process: str = ""  # which works on it

    @property
    def moving(self) -> bool:
        """Whether something is being done with it now."""
        return self.state in MOVING

    def fail(self, say: Callable[[str], str]) -> None:
        """Note why nothing was taken, as `say` says it in each language."""
        self.state, self.problem = "failed", {language: say(language) for language in languages()}

    def take_in(self, report: ImportReport) -> None:
        """Keep what the page shows of a report."""
        self.counts = report.counts()
        self.report = [asdict(row) for row in report.rows[:ROWS_SHOWN_MAX]]
        self.reasons = [(str(level), reason, rows) for level, reason, rows in report.reasons()[:REASONS_SHOWN_MAX]]
        self.notes = report.notes
        self.asks = [{"asks": need.asks, "sentence": need.sentence, "pairs": need.pairs} for need in report.needs]


class Uploads:
    """The folder. What is being worked on is known better here, in memory, than in its note."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = predecessors.claimant(randomness.token_hex(4))
        self._working: dict[str, Upload] = {}

    def file(self, upload_id: str) -> Path:
        """Give where the file of an upload lies."""
        return self._folder / f"{upload_id}.csv"

    async def keep(self, given: UploadFile, upload_id: str) -> str:
        """Store a file as it comes in; give its SHA-256 in hexadecimal. UploadTooLarge."""
        await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        path, digest, size = self.file(upload_id), hashlib.sha256(), 0
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

    async def find(self, upload_id: str) -> Upload:
        """Give one upload; UploadGone."""
        found = self._working.get(upload_id) or await asyncio.to_thread(self._read, upload_id)
        if found is None:
            raise UploadGone
        return found

    async def begin(self, upload: Upload) -> None:
        """Note that something is being done with it from now on, by this process."""
        upload.process = self._process
        self._working[upload.id] = upload
        await asyncio.to_thread(self._note, upload)

    async def end(self, upload: Upload) -> None:
        """Note what came of it."""
        await asyncio.to_thread(self._note, upload)
        self._working.pop(upload.id, None)

    async def newest_first(self, now: datetime) -> list[Upload]:
        """Give what is here; forget what was never decided."""
        return await asyncio.to_thread(self._newest_first, now)

    async def forget(self, upload_id: str, *, whole: bool) -> None:
        """Delete the file; with `whole` its report and its note too."""
        await asyncio.to_thread(self._forget, upload_id, whole=whole)

    def _newest_first(self, now: datetime) -> list[Upload]:
        kept = []
        for path in self._folder.glob("*.json"):
            upload = self._working.get(path.stem) or self._read(path.stem)
            if upload is None:
                continue
            if upload.state in UNDECIDED and now - datetime.fromisoformat(upload.at) > KEPT_FOR:
                self._forget(upload.id, whole=True)
            else:
                kept.append(upload)
        return sorted(kept, key=lambda upload: upload.at, reverse=True)

    def _note(self, upload: Upload) -> None:
        path = self._folder / f"{upload.id}.json"
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(upload)), encoding="utf-8")
        fresh.replace(path)

    def _read(self, upload_id: str) -> Upload | None:
        if not ID.fullmatch(upload_id):
            return None
        try:
            found = Upload(**json.loads((self._folder / f"{upload_id}.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        # The process ended during the import; each import is one transaction, so nothing is half done.
        if found.moving and not predecessors.may_live(found.process):
            found.fail(lambda language: text("console", "import.restarted", language))
        return found

    def _forget(self, upload_id: str, *, whole: bool) -> None:
        self.file(upload_id).unlink(missing_ok=True)
        if whole:
            report_path(self.file(upload_id)).unlink(missing_ok=True)
            (self._folder / f"{upload_id}.json").unlink(missing_ok=True)
