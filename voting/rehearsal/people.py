"""A roll of people who do not exist, as a membership system would export it: for rehearsals, examples and measuring.

Telephone numbers are from the ranges that Ofcom keeps for use in drama, so no file of ours carries a real person's:
https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama
"""

import csv
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final

from voting.roll.rows import COLUMNS

PROGRESS_ROWS: Final = 5_000
MEMBER_NO_DIGITS: Final = 8


def _words(together: str, between: str = " ") -> tuple[str, ...]:
    return tuple(together.split(between))


_GIVEN: Final = _words(
    "Aisha Alan Aled Amelia Angharad Anwen Arjun Barbara Bethan Brian Bronwen Carys Catherine Charlotte Ceri Chloë "
    "Christopher Daniel Dafydd David Dilys Eira Eleanor Elin Emyr Fatima Ffion Gareth George Geraint Glenys Grace "
    "Gwen Harriet Heather Huw Ian Ieuan Imogen Isla Jack James Joan John Judith Karen Kenneth Laura Liam Llinos "
    "Lowri Łukasz Mair Margaret Marged Martin Megan Mohammed Nerys Nia Niamh Nigel Oliver Owain Patricia Peter "
    "Priya Rhiannon Rhodri Rhys Robert Rosemary Ruth Sandra Séan Sian Siân Simon Sophie Stephen Susan Terence "
    "Thomas Tomos Victoria Wendy William Yusuf Zoë"
)
_FAMILY: Final = _words(
    "Adams Ahmed Allen Bailey Baker Begum Bell Bevan Brown Campbell Clark Cooper Davies Edwards Ellis Evans Fraser "
    "Griffiths Hall Harris Hughes Hussain James Jenkins Jones Kaur Kelly Khan King Lewis Lloyd-George MacDonald "
    "Martin Mitchell Moore Morgan Morris Murphy Nguyễn O'Brien O'Connor Owen Parry Patel Phillips Powell Price "
    "Pritchard Pugh Rees Roberts Robinson Rowlands Scott Shah Singh Smith Stewart Taylor Thomas Turner Vaughan "
    "Walker Ward Watkins White Williams Wilson Wójcik Wood Wright Young"
)
_STREETS: Final = _words(
    "High Street|Station Road|Church Lane|The Green|Victoria Road|Mill Lane|Queen Street|Park Avenue|Chapel Street"
    "|Heol y Bryn|Ffordd Las|Stryd Fawr|Lôn Goed|Maes yr Haf",
    between="|",
)
_PLACES: Final = (  # town, start of its postcodes, area, how many in a hundred of its members read Welsh
    ("London", "SW", "London", 0),
    ("Bromley", "BR", "London", 0),
    ("Guildford", "GU", "South East", 0),
    ("Canterbury", "CT", "South East", 0),
    ("Truro", "TR", "South West", 0),
    ("Bath", "BA", "South West", 0),
    ("Norwich", "NR", "East of England", 0),
    ("Lincoln", "LN", "East Midlands", 0),
    ("Worcester", "WR", "West Midlands", 0),
    ("York", "YO", "Yorkshire", 0),
    ("Carlisle", "CA", "North West", 0),
    ("Durham", "DH", "North East", 0),
    ("Perth", "PH", "Scotland", 0),
    ("Belfast", "BT", "Northern Ireland", 0),
    ("Cardiff", "CF", "Wales", 15),
    ("Swansea", "SA", "Wales", 25),
    ("Caernarfon", "LL", "Wales", 70),
)
_POSTCODE_LETTERS: Final = "ABDEFGHJLNPQRSTUWXYZ"
_OLDEST: Final = date(1975, 1, 1)


def write_roll(
    path: Path,
    members: int,
    *,
    joined_by: date,
    random: Random,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write a roll whose members all joined in time; the same `random` writes the same file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, row in enumerate(_rows(members, joined_by, random), start=1):
            writer.writerow(row)
            if progress is not None and number % PROGRESS_ROWS == 0:
                progress(number)


def _rows(members: int, joined_by: date, random: Random) -> Iterator[tuple[str, ...]]:
    days = (joined_by - _OLDEST).days
    choice, below = random.choice, random.randrange
    for number in range(1, members + 1):
        town, letters, area, welsh = choice(_PLACES)
        postcode = f"{letters}{below(1, 30)} {below(1, 10)}{choice(_POSTCODE_LETTERS)}{choice(_POSTCODE_LETTERS)}"
        yield (
            f"{number:0{MEMBER_NO_DIGITS}}",
            f"{choice(_GIVEN)} {choice(_FAMILY)}",
            f"{below(1, 200)} {choice(_STREETS)}",
            f"Flat {below(1, 40)}" if below(8) == 0 else "",
            town,
            postcode,
            "GB",
            _phone(below),
            "cy" if below(100) < welsh else "en-GB",
            area,
            (_OLDEST + timedelta(days=below(days + 1))).isoformat(),
        )


def _phone(below: Callable[[int], int]) -> str:
    """Write a number as members do: most have a mobile, some only a landline, a few none."""
    style = below(20)
    tail = f"{below(1_000):03}"
    if style == 0:
        return ""
    if style == 1:
        return f"0113 496 0{tail}"  # Ofcom's range for Leeds in drama
    return f"07700 900{tail}" if style % 2 else f"+447700900{tail}"
