"""What trustees look at before they agree: four files that are one election, or a sentence that says which is not."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prepared import CLOSES_AT, OPENS_AT, POLL
from trustee_town import dealt

from voting.ballots.election import describe_paper, make_election
from voting.ballots.refusals import BallotRefusal
from voting.ballots.trustee_refusals import FileDamaged, FileForeign
from voting.poll.election import election_of, fingerprint_of, paper_of
from voting.poll.shown import ELECTION, PAPER, SIGNING_KEY, TRUSTEES, read_shown, write_shown
from voting.refusals import NoElectionKey
from voting.trustees.dealer import deal_all
from voting.trustees.refusals import FileTaken

READY = replace(POLL, trustees_file=dealt().trustees.data, key_kind="ceremony", signing_key=bytes(range(32)))
Words = dict[str, object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_shown(READY, tmp_path / "election")
    return tmp_path / "election"


def test_what_was_written_is_read_as_the_poll(folder: Path) -> None:
    shown = read_shown(folder)

    assert (shown.election, shown.fingerprint) == (election_of(READY), fingerprint_of(READY))
    assert shown.signing_key == bytes(range(32))
    assert (folder / PAPER).read_bytes() == paper_of(READY)
    assert shown.paper.times == {"opens": OPENS_AT, "closes": CLOSES_AT}
    assert shown.paper.texts == {
        "en-GB": {"title": POLL.title, "rule": "One vote.", "question 1": "Who shall lead? (North, South)"},
        "cy": {"title": POLL.title, "rule": "Un bleidlais.", "question 1": "Who shall lead? (North, South)"},
    }


def test_one_folder_holds_one_election(folder: Path) -> None:
    write_shown(READY, folder)

    with pytest.raises(FileTaken):
        write_shown(replace(READY, title="Another"), folder)


def test_without_a_key_there_is_nothing_to_show(tmp_path: Path) -> None:
    with pytest.raises(NoElectionKey):
        write_shown(POLL, tmp_path / "election")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [ELECTION, TRUSTEES, PAPER, SIGNING_KEY])
def test_any_changed_file_is_refused(folder: Path, name: str) -> None:
    """Cut short, with one byte more, or gone."""
    data = (folder / name).read_bytes()
    for changed in (data[:-2], data + b" ", b""):
        (folder / name).write_bytes(changed)
        with pytest.raises((FileDamaged, FileForeign, BallotRefusal)):
            read_shown(folder)
    (folder / name).unlink()
    with pytest.raises(FileDamaged, match=f"{name} is damaged: it cannot be read"):
        read_shown(folder)


def test_another_key_s_trustees_are_refused(folder: Path) -> None:
    (folder / TRUSTEES).write_bytes(deal_all(3, 2).trustees.data)

    with pytest.raises(FileForeign, match="its key is not the election's"):
        read_shown(folder)


def _swap(words: Words) -> None:
    words["questions"][0]["options"].reverse()  # type: ignore[index]


def _title(words: Words) -> None:
    words["title"] = {"en-GB": "Another", "cy": "Arall"}


def _without(name: str) -> Callable[[Words], None]:
    return lambda words: words.pop(name) and None


def _as(name: str, value: object) -> Callable[[Words], None]:
    return lambda words: words.update({name: value})


def rebound(folder: Path, change: Callable[[Words], None]) -> None:
    """Change the paper, and bind the changed one in election.json, as whoever shows trustees another paper would."""
    words = json.loads(paper_of(READY))
    change(words)
    data = json.dumps(words).encode()
    (folder / PAPER).write_bytes(data)
    real = election_of(READY)
    questions, description = real.questions, describe_paper(data)
    made = make_election(uuid=real.uuid, name=real.name, description=description, key=real.key, questions=questions)
    (folder / ELECTION).write_bytes(made.written)


@pytest.mark.parametrize("change", [_swap, _title, _as("uuid", "BaLLotLineTest2")], ids=["options", "title", "uuid"])
def test_a_paper_with_other_texts_than_the_ballots_are_for_is_refused(
    folder: Path, change: Callable[[Words], None]
) -> None:
    rebound(folder, change)

    with pytest.raises(FileForeign, match=r"election\.json has other texts"):
        read_shown(folder)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_without("title"), id="no title"),
        pytest.param(_as("languages", []), id="no language"),
        pytest.param(_as("languages", ["en-GB", "fr"]), id="a language without texts"),
        pytest.param(_as("opens_at", "soon"), id="a time that is none"),
        pytest.param(_as("opens_at", 10**30), id="a time beyond all calendars"),
        pytest.param(_as("key", "nobody"), id="a key made by nobody"),
        pytest.param(_as("questions", 7), id="questions that are none"),
    ],
)
def test_what_is_no_paper_is_refused(folder: Path, change: Callable[[Words], None]) -> None:
    rebound(folder, change)

    with pytest.raises(FileDamaged, match=r"paper\.json is damaged: it is not a paper"):
        read_shown(folder)
