"""One row of the roll's file: what is stored of it, what is doubted about it, who may not vote."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from voting.imports.csv_file import MEMBER_NO_CHARACTERS_MAX, Row
from voting.imports.moments import read_day, shape_of
from voting.imports.report import ImportReport
from voting.imports.vocabulary import is_total
from voting.model import Poll
from voting.roll.countries import HOME_POST, read_country
from voting.roll.letters import Address, doubts
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

    None when name or postcode is missing. Case, accents, spaces and punctuation are ignored. Keyed: names and
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


def number_key(member_no: str) -> str:
    """Give what two ways of writing one number share: leading zeros, case, spaces and the kind of dash are ignored.

    So is the `.0` that a spreadsheet adds. Equal keys are a question for a person, never an answer.
    """
    if member_no.isascii() and member_no.isdigit():
        return member_no.lstrip("0")
    folded = "".join(unicodedata.normalize("NFKC", member_no).casefold().split())
    dashed = "".join("-" if unicodedata.category(letter) == "Pd" or letter == "\u2212" else letter for letter in folded)
    return _LEADING_ZEROS.sub("", _SPREADSHEET_END.sub(r"\1", dashed))


_LEADING_ZEROS: Final = re.compile(r"(?<![0-9])0+(?=[0-9])|^0+$")
_SPREADSHEET_END: Final = re.compile(r"^([0-9]+)\.0+$")
_SHORTENED: Final = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)


class Entry(NamedTuple):
    """What is stored of a row, and the line it came from; a tuple, since there are as many as members."""

    line: int
    member_no: str
    number_key: str
    language: str
    area: str
    country: str
    phone: str | None
    phone_reason: str | None
    person_digest: bytes | None
    joined_on: str | None  # 2011-05-02
    eligible: bool
    ineligible_reason: Ineligible | None


def address_of(row: Row) -> Address:
    """Give the cells that a letter is addressed from."""
    return Address(*row.cells[1:7])


class Reader:
    """Turns rows of the file into rows of the roll, noting each doubt."""

    def __init__(self, poll: Poll, secrets: Secrets, read_phone: ReadPhone, report: ImportReport) -> None:
        self._poll: Final = poll
        self._key: Final = secrets.code_key
        self._read_phone: Final = read_phone
        self._report: Final = report
        self._shapes: Final[Counter[str]] = Counter()
        self._languages: Final = {language.casefold(): language for language in poll.languages}
        for language in reversed(poll.languages):  # "en" and "cy-GB" mean what the poll has
            self._languages.setdefault(language.casefold().split("-")[0], language)

    def entries(self, rows: Iterable[Row]) -> Iterator[Entry]:
        """Yield what is stored of each row that can be taken."""
        for row in rows:
            if (problem := _no_member(row.cells)) is None:
                yield self._entry(row)
            else:
                self._report.reject(row.line, row.cells[0][:SHOWN_CHARACTERS_MAX], problem)

    def notes(self) -> Iterator[str]:
        """Say in which other shapes the file has its join dates."""
        if self._shapes:
            shapes = ", ".join(f"{shape} ({rows:,})" for shape, rows in self._shapes.most_common())
            yield f"Only join dates like 2011-05-02 are read; these are written with {shapes}."

    def _entry(self, row: Row) -> Entry:
        member_no, name, _, _, _, postcode, written_country, written, language, area, joined = row.cells
        country = read_country(written_country)
        if country is None:
            self._warn(row, f"unknown country {_shown(written_country)}: numbers without + are not read")
        phone, phone_reason = self._read_phone(written, country or written_country)
        if phone is None:
            self._warn(row, _no_sms(str(phone_reason), country, written))
        for doubt in doubts(address_of(row)):
            self._warn(row, doubt)
        joined_on = read_day(joined)
        why = ineligible(joined_on, self._poll.joined_by)
        if why is not None:
            self._warn(row, f"{self._join_problem(joined, why)}: kept, may not vote")
        return Entry(
            line=row.line,
            member_no=member_no,
            number_key=number_key(member_no),
            language=self._language(row, language),
            area=area,
            country=country or written_country,
            phone=phone,
            phone_reason=phone_reason,
            person_digest=person_digest(self._key, name, postcode),
            joined_on=str(joined_on) if joined_on else None,
            eligible=why is None,
            ineligible_reason=why,
        )

    def _join_problem(self, joined: str, why: Ineligible) -> str:
        if why is Ineligible.JOINED_LATE:
            return f"joined on {joined}, after {self._poll.joined_by}"
        if not joined:
            return "no join date"
        if (shape := shape_of(joined)) is None:
            return f"unreadable join date {_shown(joined)}"
        self._shapes[shape] += 1
        return f"unreadable join date {_shown(joined)}, written with {shape}"

    def _language(self, row: Row, raw: str) -> str:
        tag = raw.casefold().replace("_", "-")
        known = self._languages.get(tag) or self._languages.get(tag.split("-")[0])
        if known is None:
            known = self._poll.languages[0]
            self._warn(row, f"unknown language {_shown(raw)}: {known} is used")
        return known

    def _warn(self, row: Row, reason: str) -> None:
        self._report.warn(row.line, row.cells[0], reason)


def _no_sms(reason: str, country: str | None, written: str) -> str:
    words = f"no SMS to this number: {reason.replace('_', ' ')}"
    if country in HOME_POST or not written or written.startswith("+"):
        return words
    return (
        f"{words} as one of {country or 'an unknown country'}; another country's number needs its +, a British one +44"
    )


def _no_member(cells: tuple[str, ...]) -> str | None:
    """Say why a row is no member, by what it is."""
    member_no = cells[0]
    if is_total(member_no) and not any(cells[2:]):
        return "a total, no member"
    if member_no and not any(cells[1:]):
        return "nothing but a member_no: no member"
    return _number_problem(member_no)


def _number_problem(member_no: str) -> str | None:
    if not member_no:
        return "no member_no"
    if len(member_no) > MEMBER_NO_CHARACTERS_MAX:
        return f"a member_no longer than {MEMBER_NO_CHARACTERS_MAX} characters"
    if not member_no.isprintable():
        return "a control character in the member_no"
    if _SHORTENED.fullmatch(member_no):
        return "a member_no that a spreadsheet has shortened: export the roll again with numbers as text"
    return None


def _shown(cell: str) -> str:
    return repr(cell[:SHOWN_CHARACTERS_MAX])
