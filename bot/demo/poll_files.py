"""The demo's two polls: the one of the story, in August 2022, and one that is open today for whoever watched it."""

from datetime import date, timedelta
from pathlib import Path
from typing import Final

RULE_BEFORE: Final = {
    "en-GB": "You may vote once, by post or online.",
    "cy": "Cewch bleidleisio unwaith, drwy'r post neu ar-lein.",
}
RULE_AFTER: Final = {
    "en-GB": "You may vote once only, by post or online. The first vote that reaches us is final. Trying to vote a "
    "second time is an offence and can cost you your membership.",
    "cy": "Cewch bleidleisio unwaith yn unig, drwy'r post neu ar-lein. Mae'r bleidlais gyntaf sy'n ein cyrraedd yn "
    "derfynol. Mae ceisio pleidleisio eilwaith yn drosedd a gall gostio eich aelodaeth i chi.",
}

_FILE: Final = """[poll]
id = "{id}"
title = "{title}"
{one_question}opens_at = {opens}T09:00:00
closes_at = {closes}T17:00:00
timezone = "Europe/London"
joined_by = {joined_by}
languages = ["en-GB", "cy"]

[window]
first_day = {first}
last_day = {last}

[rule]
"en-GB" = "{english}"
cy = "{welsh}"

[staff]
approve_over = 1
escalate_after_minutes = 10
{several_questions}"""

_LEADER: Final = """question = "Who shall lead?"
options = ["Rowan Ellis", "Morgan Hale"]
"""

_TWO_QUESTIONS: Final = """
[[questions]]
question = {en-GB = "Who shall lead?", cy = "Pwy ddylai arwain?"}
options = ["Rowan Ellis", "Morgan Hale"]

[[questions]]
question = {en-GB = "Who shall be on the committee? Up to two of four.", cy = "Pwy i'r pwyllgor? Hyd at ddau o bedwar."}
options = ["Ada Price", "Ben Okafor", "Carys Hughes", "Dev Shah"]
choose = [1, 2]
blank = true
order = "rotated"
seats = 2
"""


def write_story_poll(path: Path) -> Path:
    """Write the poll of the story."""
    path.write_text(
        _FILE.format(
            id="leader-2022",
            title="The leader ballot",
            one_question=_LEADER,
            several_questions="",
            opens="2022-08-01",
            closes="2022-09-02",
            joined_by="2022-06-03",
            first="2022-08-01",
            last="2022-08-05",
            english=RULE_BEFORE["en-GB"],
            welsh=RULE_BEFORE["cy"],
        ),
        encoding="utf-8",
    )
    return path


def write_open_poll(path: Path, today: date) -> Path:
    """Write a poll that is open now and for two weeks."""
    path.write_text(
        _FILE.format(
            id=f"your-turn-{today:%Y%m%d}",
            title="Your turn: the second ballot",
            one_question="",
            several_questions=_TWO_QUESTIONS,
            opens=today - timedelta(days=2),
            closes=today + timedelta(days=14),
            joined_by=today - timedelta(days=60),
            first=today - timedelta(days=1),
            last=today + timedelta(days=3),
            english=RULE_AFTER["en-GB"],
            welsh=RULE_AFTER["cy"],
        ),
        encoding="utf-8",
    )
    return path
