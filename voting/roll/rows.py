"""One row of the roll's file: what is stored of it, what is doubted about it, who may not vote."""

import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from voting.csv_file import MEMBER_NO_CHARACTERS_MAX, CsvFile, ImportReport, Row, read_day
from voting.model import Poll
from voting.secrets_file import Secrets

COLUMNS: Final = (
    "member_no",
    "name",
    "address_1",
    "address_2",
    "town",
    "postcode",
    "country",
    "phone",
    "language",
    "area",
    "joined_on",
)
PERSON_DIGEST_BYTES: Final = 16
SHOWN_CHARACTERS_MAX: Final = 40  # of a cell quoted in the report

_PERSON_DOMAIN: Final = b"bl person 1"

ReadPhone = Callable[[str, str | None], tuple[str | None, str | None]]
"""Give (number in E.164, None) or (None, why it cannot take SMS) for a written number and its country."""


class Ineligible(StrEnum):
    """Why a member on the roll may not vote."""

    JOINED_LATE = "joined_late"
    JOIN_DATE_UNKNOWN = "join_date_unknown"
    LAPSED = "lapsed"


def ineligible(joined_on: date | None, joined_by: date) -> Ineligible | None:
    """Why somebody who joined on this day may not vote, None if they may: joining on the cut-off day is in time."""
    if joined_on is None:
        return Ineligible.JOIN_DATE_UNKNOWN
    return Ineligible.JOINED_LATE if joined_on > joined_by else None


def person_digest(key: bytes, name: str, postcode: str) -> bytes | None:
    """Hash who this seems to be, so that likely duplicates are found without keeping a name.

    None when name or postcode is missing. Case, accents, spaces and punctuation are overlooked. Keyed: names and
    postcodes are easily guessed.
    """
    person, place = _folded(name), _folded(postcode)
    if not person or not place:
        return None
    return hashlib.blake2b(
        f"{person}\n{place}".encode(), key=key, digest_size=PERSON_DIGEST_BYTES, person=_PERSON_DOMAIN
    ).digest()


def _folded(words: str) -> str:
    folded = words.casefold()
    return "".join(filter(str.isalnum, folded if folded.isascii() else unicodedata.normalize("NFKD", folded)))


class Entry(NamedTuple):
    """What is stored of a row, and the line it came from; a tuple, since there are as many as members."""

    line: int
    member_no: str
    language: str
    area: str
    country: str
    phone: str | None
    phone_reason: str | None
    person_digest: bytes | None
    joined_on: str | None  # 2011-05-02
    eligible: bool
    ineligible_reason: Ineligible | None


class Reader:
    """Turns rows of the file into rows of the roll, noting each doubt."""

    def __init__(self, poll: Poll, secrets: Secrets, read_phone: ReadPhone, report: ImportReport) -> None:
        self._poll: Final = poll
        self._key: Final = secrets.code_key
        self._read_phone: Final = read_phone
        self._report: Final = report
        self._languages: Final = {language.casefold(): language for language in poll.languages}
        for language in reversed(poll.languages):  # "en" and "cy-GB" mean what the poll has
            self._languages.setdefault(language.casefold().split("-")[0], language)

    def entries(self, file: CsvFile) -> Iterator[Entry]:
        """Yield what is stored of each row that can be taken."""
        for row in file.rows(self._report):
            if (problem := _number_problem(row.cells[0])) is None:
                yield self._entry(row)
            else:
                self._report.reject(row.line, row.cells[0][:SHOWN_CHARACTERS_MAX], problem)

    def _entry(self, row: Row) -> Entry:
        member_no, name, _, _, _, postcode, country, written, language, area, joined = row.cells
        phone, phone_reason = self._read_phone(written, country or None)
        joined_on = read_day(joined)
        why = ineligible(joined_on, self._poll.joined_by)
        if phone is None:
            self._warn(row, f"no SMS to this number: {str(phone_reason).replace('_', ' ')}")
        if why is Ineligible.JOIN_DATE_UNKNOWN:
            self._warn(row, f"unreadable join date {_shown(joined)}: kept, may not vote")
        if why is Ineligible.JOINED_LATE:
            self._warn(row, f"joined on {joined}, after {self._poll.joined_by}: kept, may not vote")
        return Entry(
            line=row.line,
            member_no=member_no,
            language=self._language(row, language),
            area=area,
            country=country,
            phone=phone,
            phone_reason=phone_reason,
            person_digest=person_digest(self._key, name, postcode),
            joined_on=str(joined_on) if joined_on else None,
            eligible=why is None,
            ineligible_reason=why,
        )

    def _language(self, row: Row, raw: str) -> str:
        tag = raw.casefold().replace("_", "-")
        known = self._languages.get(tag) or self._languages.get(tag.split("-")[0])
        if known is None:
            known = self._poll.languages[0]
            self._warn(row, f"unknown language {_shown(raw)}: {known} is used")
        return known

    def _warn(self, row: Row, reason: str) -> None:
        self._report.warn(row.line, row.cells[0], reason)


def _number_problem(member_no: str) -> str | None:
    if not member_no:
        return "no member_no"
    if len(member_no) > MEMBER_NO_CHARACTERS_MAX:
        return f"a member_no longer than {MEMBER_NO_CHARACTERS_MAX} characters"
    if not member_no.isprintable():
        return "a control character in the member_no"
    return None


def _shown(cell: str) -> str:
    return repr(cell[:SHOWN_CHARACTERS_MAX])
