"""Polls with several questions: what was marked, summed by hand, is the result, for every mix of ways."""

import asyncio
import functools
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import stranger
from belenios_tool import TOOL, needs_tool
from counted_town import CountedTown, count_into, open_town
from counting import close, take_counts, take_papers
from electorate import Electorate, Letter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prepared import GWEN, NOW, SECRETS, asked
from sqlalchemy import select

from voting import schema
from voting.audit.signer import Signer
from voting.ballots.ballot import write_ballot
from voting.model import Question
from voting.poll.election import fingerprint_of
from voting.poll.status import poll_facts
from voting.post.papers import import_count
from voting.refusals import CannotCount, PostalCountDiffers, PostalCountWrong
from voting.store.database import Database
from voting.store.upgrade import upgrade
from voting.votes.cast import Cast

Answer = tuple[int, ...]
MEMBERS = 6
ONLINE = {"chat", "page"}
QUESTIONS = (
    asked("Who shall lead?", "North", "South"),
    asked("Who for the committee?", "A", "B", "C", "D", least=1, most=2, blank=True, seats=2),
    asked("The rule?", "Yes", "No", least=0, most=1),
)


def answers(question: Question) -> st.SearchStrategy[Answer]:
    """Every answer that a question allows."""
    places = range(len(question.options))
    some = st.sets(st.sampled_from(places), min_size=question.least, max_size=question.most)
    marked = some.map(lambda chosen: (*[0] * question.blank, *(int(place in chosen) for place in places)))
    return marked | st.just((1, *[0] * len(places))) if question.blank else marked


@st.composite
def polls(draw: st.DrawFn) -> tuple[tuple[Question, ...], list[tuple[str, tuple[Answer, ...]]]]:
    """A few questions, and how each member votes: by which way, with which paper."""
    questions = []
    for number in range(draw(st.integers(1, 3))):
        options = draw(st.integers(2, 4))
        most = draw(st.integers(1, options))
        rules = {"least": draw(st.integers(0, most)), "most": most, "blank": draw(st.booleans())}
        questions.append(asked(f"Question {number}?", *(f"{number}-{letter}" for letter in "ABCD"[:options]), **rules))
    paper = st.tuples(*map(answers, questions))
    way = st.sampled_from(["chat", "page", "post", "nobody"])
    return tuple(questions), draw(st.lists(st.tuples(way, paper), min_size=MEMBERS, max_size=MEMBERS))


def summed(questions: Sequence[Question], papers: Sequence[tuple[Answer, ...]]) -> list[list[int]]:
    """Add up by hand."""
    return [
        [sum(paper[at][place] for paper in papers) for place in range(question.places)]
        for at, question in enumerate(questions)
    ]


async def cast(town: CountedTown, voters: Electorate, letter: Letter, way: str, paper: tuple[Answer, ...]) -> None:
    """Vote in the chat, where the service seals, or on the page, which sends a ballot that it sealed itself."""
    chat = letter.chat if way == "chat" else f"page:{letter.member_id}"
    intent = await voters.opens_paper(letter, chat=chat)
    ballot = None if way == "chat" else write_ballot(town.paper(letter, paper))
    marked = paper if way == "chat" else ()
    await voters.clerk.cast(Cast(intent, chat, town.poll.rule_version, marked, ballot), NOW)


async def played(town: CountedTown, folder: Path, votes: Sequence[tuple[str, tuple[Answer, ...]]]) -> Path:
    """Vote, close, count; give the bundle."""
    voters = Electorate(town.database, town.letters, town.dealt, town.poll)
    online = [(one, *vote) for one, vote in zip(town.letters, votes, strict=True) if vote[0] in ONLINE]
    await asyncio.gather(*(cast(town, voters, *vote) for vote in online))
    await voters.clerk.finish()
    sent = [letter for letter, (way, _) in zip(town.letters, votes, strict=True) if way == "post"]
    await take_papers(town, folder, sent)
    await close(town)
    await take_counts(town, folder, summed(town.poll.questions, [paper for way, paper in votes if way == "post"]))
    await count_into(town, folder / "result", publish_small=True)
    return folder / "result"


def by_way(result: dict[str, object], way: str) -> list[list[int]]:
    """Give a result's numbers as a ballot has them."""
    return [
        [line[way] for line in [*([one["blank"]] if one["blank"] else []), *one["options"]]]
        for one in result["questions"]  # type: ignore[attr-defined]
    ]


@functools.cache
def migrated() -> bytes:
    """An empty database, made once and copied."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        asyncio.run(_migrate(f"sqlite+aiosqlite:///{file}"))
        return file.read_bytes()


async def _migrate(url: str) -> None:
    database = Database(url, Signer(SECRETS))
    await upgrade(database)
    await database.close()


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(polls())
def test_what_was_marked_summed_by_hand_is_the_result(
    made: tuple[tuple[Question, ...], list[tuple[str, tuple[Answer, ...]]]],
) -> None:
    questions, votes = made
    empty = migrated()

    async def play(folder: Path) -> None:
        (folder / "town.db").write_bytes(empty)
        database = Database(f"sqlite+aiosqlite:///{folder / 'town.db'}", Signer(SECRETS))
        try:
            town = await open_town(database, MEMBERS, questions=questions)
            bundle = await played(town, folder, votes)
        finally:
            await database.close()
        result = json.loads((bundle / "result.json").read_bytes())
        for way, ways in {"online": ONLINE, "post": {"post"}}.items():
            papers = [paper for how, paper in votes if how in ways]
            assert by_way(result, way) == summed(questions, papers)
            assert result[way] == len(papers)
            assert [one["voters"][way] for one in result["questions"]] == [len(papers)] * len(questions)
        assert stranger.verify(bundle, fingerprint_of(town.poll)) == result

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder)))


VOTES: list[tuple[str, tuple[Answer, ...]]] = [
    ("chat", ((1, 0), (0, 1, 1, 0, 0), (1, 0))),
    ("page", ((0, 1), (1, 0, 0, 0, 0), (0, 0))),
    ("chat", ((1, 0), (0, 0, 1, 0, 0), (0, 1))),
    ("post", ((1, 0), (0, 1, 0, 0, 1), (1, 0))),
    ("post", ((0, 1), (0, 0, 0, 0, 1), (0, 0))),
    ("nobody", ((1, 0), (1, 0, 0, 0, 0), (0, 0))),
]


@pytest.fixture
async def town(database: Database) -> CountedTown:
    return await open_town(database, MEMBERS, questions=QUESTIONS)


@needs_tool
async def test_belenios_accepts_the_archive_and_has_the_same_sums(town: CountedTown, tmp_path: Path) -> None:
    bundle = await played(town, tmp_path, VOTES)

    command = [str(TOOL), "election", "verify", "--dir", str(bundle / "belenios")]
    ran = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
    said = b"".join(await ran.communicate()).lower()

    assert (ran.returncode, b"all checks passed" in said) == (0, True)
    assert b'{"result":[[2,1],[1,1,2,0,0],[1,1]]}' in (bundle / "belenios" / f"{town.poll.uuid}.bel").read_bytes()


async def test_a_tie_at_the_last_seat_elects_nobody_of_the_tied(town: CountedTown, tmp_path: Path) -> None:
    """A, B and D have two votes each for two seats."""
    bundle = await played(town, tmp_path, VOTES)

    result = json.loads((bundle / "result.json").read_bytes())
    leader, committee, rule = result["questions"]
    page = (bundle / "result.html").read_text(encoding="utf-8")

    assert [row["votes"] for row in committee["options"]] == [2, 2, 0, 2]
    assert [row["elected"] for row in committee["options"]] == [False] * 4
    assert committee["tied"] == ["A", "B", "D"]
    assert committee["blank"] == {"online": 1, "post": 0, "votes": 1}
    assert (leader["tied"], rule["tied"]) == ([], [])
    assert "elected" not in leader["options"][0]
    assert (
        "A tie: <span>A, B, D</span> have the same number of votes for the last seats, and none of them is elected."
        in page
    )
    assert "Each member could choose up to 2 options. Shares are of the members who voted, not of the votes." in page
    assert "Blank votes" in page


async def test_what_is_counted_on_paper_is_named_with_its_question(town: CountedTown, tmp_path: Path) -> None:
    await take_papers(town, tmp_path, town.letters[:2])
    await close(town)
    count = await take_counts(town, tmp_path, [[1, 1], [1, 1, 1, 0, 0], [0, 1]])

    assert count.votes == ((1, 1), (1, 1, 1, 0, 0), (0, 1))
    async with town.database.reading() as connection:
        last = select(schema.chain.c.body).where(schema.chain.c.kind == "postal_counted")
        body = await connection.scalar(last)
    assert body["votes"][:3] == [
        ["Who shall lead?", "North", 1],
        ["Who shall lead?", "South", 1],
        ["Who for the committee?", "(blank)", 1],
    ]


@pytest.mark.parametrize(
    "votes",
    [
        pytest.param([[1, 0], [1, 1, 1, 0, 0], [0, 1]], id="one paper has no leader"),
        pytest.param([[1, 1], [1, 2, 0, 0, 0], [0, 1]], id="one option on more papers than were marked"),
        pytest.param([[1, 1], [3, 0, 0, 0, 0], [0, 1]], id="more blank papers than there are"),
        pytest.param([[1, 1], [0, 1, 0, 0, 0], [0, 1]], id="fewer marks than every paper has"),
        pytest.param([[1, 1], [0, 2, 2, 1, 0], [0, 1]], id="more marks than they can have"),
        pytest.param([[1, 1], [1, 1, 1, 0, 0], [2, 1]], id="two marks where one is the most"),
    ],
)
async def test_papers_that_do_not_add_up_need_a_reason(
    town: CountedTown, tmp_path: Path, votes: list[list[int]]
) -> None:
    await take_papers(town, tmp_path, town.letters[:2])
    await close(town)
    with pytest.raises(PostalCountDiffers):
        await take_counts(town, tmp_path, votes)

    assert (await take_counts(town, tmp_path, votes, "one was torn")).justification == "one was torn"
    result = await count_into(town, tmp_path / "result", publish_small=True)
    assert by_way(result, "post") == votes


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("4,Yes,1", "no question of this poll", id="no such question"),
        pytest.param("1,Yes,1", "no option of this poll", id="an option of another question"),
        pytest.param("1,(blank),1", "no option of this poll", id="blank where it is not allowed"),
        pytest.param(",North,1", "no question of this poll", id="question left out"),
        pytest.param("1,North,1", "does not name 'South' of question 1", id="the rest left out"),
    ],
)
async def test_a_count_of_papers_that_names_something_else_is_refused(
    town: CountedTown, tmp_path: Path, line: str, problem: str
) -> None:
    await close(town)
    path = tmp_path / "count.csv"
    path.write_text(f"question,option,votes\n{line}\n", encoding="utf-8")

    with pytest.raises(PostalCountWrong, match=problem):
        await import_count(town.database, path, by=GWEN)


async def test_papers_are_counted_before_the_result(town: CountedTown, tmp_path: Path) -> None:
    await take_papers(town, tmp_path, town.letters[:2])
    await close(town)

    with pytest.raises(CannotCount, match="2 papers were received but not counted"):
        await count_into(town, tmp_path / "result", publish_small=True)


async def test_questions_have_numbers_once_they_are_counted_and_none_before(town: CountedTown, tmp_path: Path) -> None:
    """Until then `poll status` and the console know how many voted, of the paper as a whole."""
    voters = Electorate(town.database, town.letters, town.dealt, town.poll)
    await cast(town, voters, town.letters[0], *VOTES[0])
    async with town.database.reading() as connection:
        before = await poll_facts(connection)
    bundle = await played(town, tmp_path, [("nobody", VOTES[0][1]), *VOTES[1:]])
    async with town.database.reading() as connection:
        after = await poll_facts(connection)

    assert (before["locks"], before["result"]) == ({"online": 1, "post": 0}, None)
    assert not {name for question in QUESTIONS for name in town.poll.names_of(question)} & set(
        json.dumps(before).split('"')
    )
    assert after["result"] == json.loads((bundle / "result.json").read_bytes())
    assert [one["voters"]["votes"] for one in after["result"]["questions"]] == [5, 5, 5]
    assert [one["blank"] and one["blank"]["votes"] for one in after["result"]["questions"]] == [None, 1, None]
