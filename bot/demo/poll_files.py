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
question = "{question}"
options = ["Rowan Ellis", "Morgan Hale"]
opens_at = {opens}T09:00:00
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
"""


def write_story_poll(path: Path) -> Path:
    """Write the poll of the story."""
    path.write_text(
        _FILE.format(
            id="leader-2022",
            title="The leader ballot",
            question="Who shall lead?",
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
            question="Who shall lead?",
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
