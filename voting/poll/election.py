"""The poll as an election: the paper in every language, and election.json, whose bytes every ballot hashes.

Both follow from the poll alone, so anybody can make them again. Nothing of them changes once the
poll is open. Texts in election.json are those of the poll's first language; paper.json has all of them, and
election.json binds its SHA-256 (BALLOTS: `ballotline paper 1`).
"""

from functools import lru_cache
from typing import Final

from voting.audit.canonical import canonical_json
from voting.ballots.election import Election, Question, describe_paper, make_election
from voting.ballots.mark import key_fingerprint
from voting.ballots.trustees import Trustees, read_trustees
from voting.ballots.written import File
from voting.model import Poll
from voting.poll.questions import written_questions
from voting.refusals import NoElectionKey
from voting.store.columns import microseconds

FORMAT: Final = "ballotline paper 1"


def paper_of(poll: Poll) -> bytes:
    """Write paper.json: what a voter sees, in every language, and when and with which kind of key; canonical JSON.

    The rule is that of the opening: a later one is on the chain. NoElectionKey while it is not known who decrypts.
    """
    if poll.paper is not None:
        return poll.paper
    if poll.key_kind is None:
        raise NoElectionKey
    return canonical_json(
        {
            "format": FORMAT,
            "uuid": poll.uuid,
            "languages": list(poll.languages),
            "title": dict.fromkeys(poll.languages, poll.title),
            "questions": written_questions(poll.questions),
            "rule": poll.rule,
            "opens_at": microseconds(poll.opens_at),
            "closes_at": microseconds(poll.closes_at),
            "key": poll.key_kind,
        }
    )


def election_of(poll: Poll) -> Election:
    """Make the election; NoElectionKey, or a BallotRefusal that names a text which cannot stand in election.json."""
    return _made(poll.uuid, poll.title, paper_of(poll), trustees_of(poll).election_key, questions_of(poll))


def trustees_of(poll: Poll) -> Trustees:
    """Give the published trustees; NoElectionKey, or FileDamaged when somebody wrote into the database."""
    if poll.trustees_file is None:
        raise NoElectionKey
    return _read(poll.trustees_file)


def fingerprint_of(poll: Poll) -> str:
    """Give what strangers compare before they trust the count: election, trustees and signing key in one mark."""
    return key_fingerprint(election_of(poll).hash, trustees_of(poll).data, poll.signing_key)


@lru_cache(maxsize=4)  # asked for with every vote; a poll that opened has one for good
def _made(uuid: str, name: str, paper: bytes, key: bytes, questions: tuple[Question, ...]) -> Election:
    return make_election(uuid=uuid, name=name, description=describe_paper(paper), key=key, questions=questions)


@lru_cache(maxsize=4)
def _read(data: bytes) -> Trustees:
    return read_trustees(File("trustees.json", data))


def questions_of(poll: Poll) -> tuple[Question, ...]:
    """Give the questions as the election has them, by the names of the poll's first language."""
    return tuple(
        Question(poll.named(asked.text), poll.names_of(asked), asked.least, asked.most, asked.blank)
        for asked in poll.questions
    )
