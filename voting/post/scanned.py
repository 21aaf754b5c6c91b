"""Papers as scans report them, and as they are stored; a row of the scanning house's file read into a scan."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from voting.codes.codes import hash_pack
from voting.codes.scanned import read_scan, scan_problem
from voting.imports.csv_file import Row
from voting.imports.moments import CLOCK_SLACK, find_moment, read_day
from voting.imports.report import ImportReport
from voting.imports.vocabulary import Kind, our_word, unknown
from voting.model import Poll

COLUMNS: Final = ("pack_code", "received_at", "status")


class Status(StrEnum):
    """What the scanning house says of a paper."""

    RECEIVED = "received"
    REJECTED = "rejected"


class Outcome(StrEnum):
    """What became of a paper."""

    LOCKED = "locked"  # it is a vote
    REJECTED = "rejected"  # it locked its member, and is no vote
    SET_ASIDE = "set_aside"  # it locked nobody and stays unopened


class Aside(StrEnum):
    """Why a paper was set aside."""

    ONLINE_VOTE = "online_vote"
    DEAD_PACK = "dead_pack"  # replaced or void: no attempt
    NOT_ELIGIBLE = "not_eligible"


WORDS: Final = {
    Aside.ONLINE_VOTE: "the member has voted online",
    Aside.DEAD_PACK: "its pack was replaced or void",
    Aside.NOT_ELIGIBLE: "the member may not vote",
}


@dataclass(slots=True)
class Paper:
    """A paper as stored, or as it will be at the end of its batch."""

    status: Status
    received_at: datetime
    outcome: Outcome
    reason: Aside | None = None
    stored: bool = False
    changed: bool = False


@dataclass(slots=True)
class Pack:
    """A pack that a row names, with the paper that came from it."""

    id: int
    member_id: int
    member_no: str
    live: bool
    eligible: bool
    paper: Paper | None


@dataclass(frozen=True, slots=True)
class Scan:
    """A row that can be read."""

    line: int
    digest: bytes
    received_at: datetime
    status: Status


@dataclass(frozen=True, slots=True)
class ScanReader:
    """Turns rows of the file into scans; a row that cannot be read is reported as rejected."""

    poll: Poll
    key: bytes
    report: ImportReport
    now: datetime

    def read(self, row: Row) -> Scan | None:
        """Give the scan, or report why there is none."""
        code, written, word = row.cells
        status = our_word(Kind.STATUS, word)
        received_at = self._received_at(written)
        if (canonical := read_scan(code, self.poll.id)) is None:
            problem = scan_problem(code, self.poll.id)
        elif received_at is None:
            problem = f"unreadable time {written[:40]!r}: write it like 2022-08-01T09:00"
        elif (wrong := self._untimely(written, received_at)) is not None:
            problem = wrong
        elif status is None:
            problem = unknown(Kind.STATUS, word)
        else:
            return Scan(row.line, hash_pack(self.key, self.poll.id, canonical), received_at, Status(status))
        self.report.reject(row.line, "", problem)
        return None

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.poll.timezone)

    def _received_at(self, written: str) -> datetime | None:
        return find_moment(written, self._zone, lambda moment: self.poll.opens_at <= moment <= self.now)

    def _untimely(self, written: str, received_at: datetime) -> str | None:
        """Say what is wrong with a time; a day without one may be the day of the opening."""
        if received_at > self.now + CLOCK_SLACK:
            return "received in the future"
        opens_at = self.poll.opens_at
        opening_day = opens_at.astimezone(self._zone).date()
        if received_at < opens_at and (":" in written or read_day(written) != opening_day):
            return "received before the opening"
        return None
