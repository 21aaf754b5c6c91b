"""The rehearsal: a whole poll through the same code, to exactly the result that was asked for."""

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import pytest
from electorate import Electorate, open_electorate
from hypothesis import given
from hypothesis import strategies as st
from prepared import NOW, read_phone

from voting.refusals import PollExists
from voting.rehearsal.failed import RehearsalFailed, insist
from voting.rehearsal.people import write_roll
from voting.rehearsal.plan import FIRST_KIND, NOBODY, PAPER, REJECTED, CannotRehearse, Plan, plan_of_file, usual_plan
from voting.rehearsal.rehearsal import rehearse
from voting.rehearsal.stopwatch import Stage, peak_memory
from voting.rehearsal.voters import Crowd, Voter
from voting.roll.rows import COLUMNS
from voting.store.database import Database

SMALL = Plan(400, {"North": 200, "South": 100}, rejected=7, one_in_replays=10, one_in_attempts=50)
TINY = Plan(100, {"North": 50, "South": 25}, rejected=3, one_in_replays=10, one_in_attempts=25)


async def test_a_rehearsal_comes_to_the_asked_result(database_url: str, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []

    done = await rehearse(
        tmp_path, SMALL, read_phone=read_phone, now=NOW, url=database_url, progress=lambda *step: told.append(step)
    )

    assert {option["option"]: option["votes"] for option in done.result["questions"][0]["options"]} == dict(
        SMALL.result
    )
    assert done.result["rejected_papers"] == 7
    assert (done.result["turnout_with_rejected"], done.result["turnout_without_rejected"]) == ("76.75", "75.00")
    assert (done.result["online"], done.result["post"]) == (255, 45)
    assert done.report.ok
    assert (done.replays, done.attempts) == (25, 15)
    assert {name for name, _, _ in told} == {stage.name for stage in done.stages}
    assert ("votes: check both codes, seal, check, lock", 255, 255) in told


async def test_the_facts_of_a_rehearsal_are_one_json_object(tmp_path: Path) -> None:
    done = await rehearse(tmp_path, TINY, read_phone=read_phone, now=NOW)

    facts = json.loads(json.dumps(done.facts()))

    assert facts["verified"] is True
    assert facts["result"] == done.result
    stages = {stage["stage"].split(":")[0]: stage["number"] for stage in facts["stages"]}
    assert stages == {
        "a roll of made-up people": 100,
        "import": 100,
        "packs": 100,
        "opening": 1,
        "votes": 63,
        "attempts": 4,
        "papers": 17,
        "close": 1,
        "tally": 63,
        "decrypt": 63,
        "result": 63,
        "verify": 63,
        "audit": facts["chain_entries"],
    }
    assert 0 < facts["peak_memory_mib"] < 1024
    assert facts["peak_worker_memory_mib"] < 1024
    assert peak_memory().here > 0


async def test_a_rehearsal_does_not_touch_a_database_that_holds_a_poll(database: Database, tmp_path: Path) -> None:
    await open_electorate(database)

    with pytest.raises(PollExists):
        await rehearse(
            tmp_path,
            SMALL,
            read_phone=read_phone,
            now=NOW,
            url=database.url.render_as_string(hide_password=False),
        )


@pytest.mark.parametrize(
    ("members", "result", "rejected", "online_percent", "words"),
    [
        pytest.param(10, {"North": 6, "South": 5}, 0, 85, "11 votes .* more than 10 members", id="more votes"),
        pytest.param(10, {"North": 6, "South": 4}, 1, 85, "11 votes and rejected papers", id="more papers"),
        pytest.param(10, {"North": 6}, 0, 85, "2 to 64 options", id="no choice"),
        pytest.param(60, {str(n): 1 for n in range(65)}, 0, 85, "2 to 64 options", id="too much choice"),
        pytest.param(10, {"North": -1, "South": 4}, 0, 85, "below 0", id="fewer votes than none"),
        pytest.param(10, {"North": 1, "South": 4}, -1, 85, "below 0", id="fewer papers than none"),
        pytest.param(0, {"North": 0, "South": 0}, 0, 85, "1 to 10,000,000 members", id="nobody"),
        pytest.param(10**8, {"North": 0, "South": 0}, 0, 85, "1 to 10,000,000 members", id="everybody"),
        pytest.param(10, {"North": 0, "South": 0}, 0, 101, "0 to 100 per cent", id="more than all online"),
    ],
)
def test_what_no_poll_can_end_with_is_refused_in_one_sentence(
    members: int, result: dict[str, int], rejected: int, online_percent: int, words: str
) -> None:
    with pytest.raises(CannotRehearse, match=words) as refused:
        Plan(members, result, rejected, online_percent)
    assert "\n" not in str(refused.value)


@given(
    st.lists(st.integers(0, 60), min_size=2, max_size=5),
    st.integers(0, 40),
    st.integers(0, 100),
    st.integers(1, 300),
)
def test_every_member_has_one_act_and_all_add_up(
    votes: list[int], rejected: int, online_percent: int, spare: int
) -> None:
    members = sum(votes) + rejected + spare
    plan = Plan(members, {str(n): count for n, count in enumerate(votes)}, rejected, online_percent)

    acts = plan.acts(Random(1))

    assert len(acts) == members
    assert [acts.count(FIRST_KIND + n) for n in range(len(votes))] == plan.online
    assert acts.count(PAPER) == sum(plan.post)
    assert acts.count(REJECTED) == rejected
    assert acts.count(NOBODY) == spare
    assert [online + post for online, post in zip(plan.online, plan.post, strict=True)] == votes


@pytest.mark.parametrize("members", [1, 7, 172_437])
def test_the_usual_plan_can_always_be_rehearsed(members: int) -> None:
    assert usual_plan(members).members == members


def test_a_made_up_roll_is_written_the_same_from_the_same_chance(tmp_path: Path) -> None:
    told: list[int] = []
    for name in ("one.csv", "two.csv"):
        write_roll(tmp_path / name, 6_000, joined_by=date(2022, 6, 3), random=Random(3), progress=told.append)

    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert told == [5_000, 5_000]


def test_a_made_up_roll_carries_no_real_number_and_nobody_twice(tmp_path: Path) -> None:
    write_roll(tmp_path / "roll.csv", 3_000, joined_by=date(2022, 6, 3), random=Random(4))

    with (tmp_path / "roll.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len({row["member_no"] for row in rows}) == 3_000
    assert max(row["joined_on"] for row in rows) <= "2022-06-03"
    starts = {row["phone"].replace(" ", "").replace("+44", "0")[:8] for row in rows}
    assert starts == {"", "07700900", "01134960"}
    assert {row["language"] for row in rows} == {"en-GB", "cy"}


def test_a_stage_that_took_no_time_has_no_rate() -> None:
    assert Stage("open", 5, "ballots", 0.0).per_second == 0.0
    assert Stage("open", 5, "ballots", 2.0).per_second == 2.5


def crowd_of(town: Electorate) -> tuple[Crowd, Voter]:
    """Give a crowd for this poll and a voter with its first letter."""
    plan = replace(SMALL, one_in_replays=1, one_in_attempts=1)
    letter = town.letters[0]
    voter = Voter(1, f"{letter.pack_code} {letter.vote_code}", 0)
    return Crowd(plan, town.poll, town.checks, town.clerk, lambda: NOW), voter


async def test_a_voter_whose_letter_was_used_before_fails_the_rehearsal(database: Database) -> None:
    town = await open_electorate(database)
    crowd, voter = crowd_of(town)
    await town.votes(town.letters[0])

    with pytest.raises(RehearsalFailed, match="did not open the voting paper"):
        await crowd._votes(voter)


def test_a_rehearsal_that_does_not_hold_says_what() -> None:
    insist(True, "nothing")
    with pytest.raises(RehearsalFailed, match="399 of 400"):
        insist(False, "399 of 400 members were imported")


POLL_FILE = """
[poll]
id = "agm-2022"
title = "The meeting"
opens_at = 2022-08-01T09:00:00
closes_at = 2022-09-02T17:00:00
timezone = "Europe/London"
joined_by = 2022-06-03
languages = ["en-GB", "cy"]
[window]
first_day = 2022-08-01
last_day = 2022-08-05
[rule]
en-GB = "One vote."
cy = "Un bleidlais."
[[questions]]
question = "Who shall lead?"
options = ["North", "South"]
[[questions]]
question = "Up to two of four?"
options = ["A", "B", "C", "D"]
choose = [1, 2]
blank = true
order = "rotated"
seats = 2
"""


async def test_the_poll_of_a_file_is_rehearsed_with_papers_drawn_at_random(tmp_path: Path) -> None:
    (tmp_path / "poll.toml").write_text(POLL_FILE, encoding="utf-8")
    plan = plan_of_file(tmp_path / "poll.toml", 150, Random(1))
    (tmp_path / "run").mkdir()

    done = await rehearse(tmp_path / "run", plan, read_phone=read_phone, now=NOW)

    leader, committee = done.result["questions"]
    assert sum(row["votes"] for row in leader["options"]) == done.result["votes"] == sum(plan.result.values()) == 120
    assert [row["votes"] for row in (committee["blank"], *committee["options"])] == plan.marks[1]
    assert committee["blank"]["votes"] > 0
    assert committee["voters"] == {"online": sum(plan.online), "post": sum(plan.post), "votes": 120}
    assert done.report.ok
