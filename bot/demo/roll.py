"""A roll of 200 invented members, with the faults that real rolls have. Numbers are Ofcom's for drama."""

import csv
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voting.roll.rows import COLUMNS

MEMBERS: Final = 200
SEED: Final = 2022
FIRST_NAMES: Final = [
    "Ada",
    "Bedwyr",
    "Carys",
    "Dafydd",
    "Elin",
    "Farah",
    "George",
    "Hana",
    "Idris",
    "Jack",
    "Kwame",
    "Layla",
    "Megan",
    "Noah",
    "Olwen",
    "Priya",
    "Rhys",
    "Siân",
    "Tomasz",
    "Zoë",
]
LAST_NAMES: Final = [
    "Adeyemi",
    "Bevan",
    "Clarke",
    "Davies",
    "Evans",
    "Fraser",
    "Green",
    "Hughes",
    "Iqbal",
    "Jones",
    "Khan",
    "Lloyd",
    "Morgan",
    "Nowak",
    "Owen",
]
STREETS: Final = ("High Street", "Station Road", "Mill Lane", "Ffordd y Bryn", "The Green")
TOWNS: Final = (
    ("Cardiff", "CF14 3AA", "Wales"),
    ("Leeds", "LS6 2QT", "Yorkshire"),
    ("Perth", "PH1 5TJ", "Scotland"),
    ("Derry", "BT48 6HF", "Northern Ireland"),
    ("London", "SW4 7AB", "London"),
)


@dataclass(frozen=True, slots=True)
class Role:
    """A member the story follows."""

    member_no: str
    name: str
    language: str
    phone: str


ADA: Final = Role("200001", "Ada Hughes", "en-GB", "+447700900101")
BEDWYR: Final = Role("200002", "Bedwyr Evans", "cy", "+447700900102")
CARYS: Final = Role("200003", "Carys Morgan", "en-GB", "+447700900103")
FARAH: Final = Role("200004", "Farah Khan", "en-GB", "+447700900104")
CAST: Final = (ADA, BEDWYR, CARYS, FARAH)
BAD_ROWS: Final = (
    {"member_no": "200001", "name": "Ada Hughes"},  # a number that is there already
    {"member_no": "", "name": "Nemo Nobody"},
    {"member_no": "200201", "name": "Late Joiner", "joined_on": "2022-07-30"},
    {"member_no": "200202", "name": "Land Line", "phone": "020 7946 0018"},
    {"member_no": "200203", "name": "Call Me", "phone": "call after six"},
)


def write_roll(path: Path) -> Path:
    """Write the roll: the same every time."""
    pick = random.Random(SEED)  # noqa: S311 - invented people, no secret
    rows = [_row(pick, number) for number in range(1, MEMBERS + 1)]
    for row, role in zip(rows, CAST, strict=False):
        row |= {"member_no": role.member_no, "name": role.name, "language": role.language, "phone": role.phone}
    rows += [_row(pick, 0) | bad for bad in BAD_ROWS]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _row(pick: random.Random, number: int) -> dict[str, str]:
    town, postcode, area = pick.choice(TOWNS)
    return {
        "member_no": f"{200_000 + number}",
        "name": f"{pick.choice(FIRST_NAMES)} {pick.choice(LAST_NAMES)} {number or ''}".strip(),
        "address_1": f"{pick.randrange(1, 200)} {pick.choice(STREETS)}",
        "address_2": "",
        "town": town,
        "postcode": postcode,
        "country": "GB",
        "phone": f"07700 900{200 + number}" if pick.random() < 0.9 else "",  # noqa: PLR2004 - most have one
        "language": "cy" if area == "Wales" and pick.random() < 0.5 else "en-GB",  # noqa: PLR2004 - half of Wales
        "area": area,
        "joined_on": f"{pick.randrange(1985, 2022)}-0{pick.randrange(1, 10)}-1{pick.randrange(10)}",
    }
