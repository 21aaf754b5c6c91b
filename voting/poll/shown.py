"""The election as it is shown to trustees before the poll opens: four files in a folder, read without the database.

election.json, trustees.json and paper.json as they will be published, and signing-key.txt: the chain's public key.
"""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from voting.ballots.election import Election, Question, describe_paper, make_election, read_election
from voting.ballots.mark import key_fingerprint
from voting.ballots.trustee_refusals import FileDamaged, FileForeign
from voting.ballots.trustees import Trustees, check_election_key, read_trustees
from voting.model import Poll
from voting.poll.election import election_of, paper_of, trustees_of
from voting.poll.keys import MADE
from voting.store.columns import EPOCH, MICROSECOND
from voting.trustees.disk import read_file, write_once

ELECTION: Final = "election.json"
TRUSTEES: Final = "trustees.json"
PAPER: Final = "paper.json"
SIGNING_KEY: Final = "signing-key.txt"

_HEX: Final = re.compile(rb"[0-9a-f]{64}\n?")


class Paper(NamedTuple):
    """paper.json for a person to read: `made` says who made the key, `texts` are what stands there in each language."""

    uuid: str
    times: dict[str, datetime]
    made: str
    texts: dict[str, dict[str, str]]


class Shown(NamedTuple):
    """What a trustee agrees to."""

    election: Election
    trustees: Trustees
    paper: Paper
    signing_key: bytes

    @property
    def fingerprint(self) -> str:
        """What the officer reads or publishes, and strangers later tell `verify`."""
        return key_fingerprint(self.election.hash, self.trustees.data, self.signing_key)


def write_shown(poll: Poll, folder: Path) -> Shown:
    """Write the four files and give what they say.

    FileTaken rather than write over another election's; NoElectionKey; a BallotRefusal that names a text which cannot
    stand in the election.
    """
    files = {
        ELECTION: election_of(poll).written,
        TRUSTEES: trustees_of(poll).data,
        PAPER: paper_of(poll),
        SIGNING_KEY: poll.signing_key.hex().encode() + b"\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        write_once(folder / name, data)
    return read_shown(folder)


def read_shown(folder: Path) -> Shown:
    """Read the four files, and insist that they are one election: its paper, its trustees' key.

    FileDamaged, FileForeign, BallotRefusal.
    """
    paper = read_file(folder / PAPER).data
    election = read_election(read_file(folder / ELECTION).data)
    trustees = read_trustees(read_file(folder / TRUSTEES))
    check_election_key(trustees, election)
    said = _read_paper(paper, election)
    key = read_file(folder / SIGNING_KEY).data
    if not _HEX.fullmatch(key):
        raise FileDamaged(file=SIGNING_KEY, problem="it is not a key of 64 hexadecimal digits")
    return Shown(election, trustees, said, bytes.fromhex(key.decode("ascii")))


def _read_paper(data: bytes, election: Election) -> Paper:
    """Read paper.json, which election.json binds, and whose texts in the first language are the election's."""
    try:
        words = json.loads(data)
        first = words["languages"][0]
        questions = [
            Question(
                one["question"][first],
                tuple(option[first] for option in one["options"]),
                one["least"],
                one["most"],
                one["blank"],
            )
            for one in words["questions"]
        ]
        times = {name: EPOCH + words[f"{name}_at"] * MICROSECOND for name in ("opens", "closes")}
        texts = {language: _in_language(words, language) for language in words["languages"]}
        paper = Paper(words["uuid"], times, MADE[words["key"]], texts)
        name = words["title"][first]
    except (ValueError, KeyError, TypeError, IndexError, OverflowError) as wrong:
        raise FileDamaged(file=PAPER, problem="it is not a paper") from wrong
    described = describe_paper(data)
    made = make_election(uuid=paper.uuid, name=name, description=described, key=election.key, questions=questions)
    if made.written != election.written:
        raise FileForeign(file=PAPER, what="election: election.json has other texts, or binds another paper")
    return paper


def _in_language(words: dict[str, Any], language: str) -> dict[str, str]:
    texts = {"title": str(words["title"][language]), "rule": str(words["rule"][language])}
    for number, one in enumerate(words["questions"], 1):
        options = ", ".join(str(option[language]) for option in one["options"])
        texts[f"question {number}"] = f"{one['question'][language]} ({options}{_rules(one)})"
    return texts


def _rules(one: dict[str, Any]) -> str:
    """Say what differs from a question with one answer."""
    rules = [] if one["least"] == one["most"] == 1 else [f"choose {one['least']} to {one['most']}"]
    rules += ["or blank"] if one["blank"] else []
    rules += [] if one["seats"] is None else [f"seats: {one['seats']}"]
    return "".join(f"; {rule}" for rule in rules)
