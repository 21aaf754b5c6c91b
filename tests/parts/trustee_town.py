"""Trustees at home, each with a folder: a ceremony played step by step, an election, its tally, and its archive."""

import functools
import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from belenios_tool import v7_member

from voting.ballots.ballot import Ballot, Ciphertext, sign, write_ballot
from voting.ballots.election import Election, Question, make_election
from voting.ballots.group import Point, base_times, plus, product, random_scalar, times, write_point
from voting.ballots.seal import draw_randomness, seal
from voting.ballots.tally import Tally, read_tally
from voting.ballots.written import File
from voting.trustees.assemble import Assembled, assemble
from voting.trustees.dealer import Dealt, deal_all
from voting.trustees.trustee import Step, deal, finish, new

UUID = "BaLLotLineTest"
VECTORS = Path(__file__).parent.parent / "data" / "belenios"
SIGNING_KEY = bytes(range(32))


@dataclass
class Town:
    """`of` trustees and what each has written so far."""

    folder: Path
    of: int = 3
    threshold: int = 2
    secrets: list[Path] = field(default_factory=list)
    certificates: list[Path] = field(default_factory=list)
    polynomials: list[Path] = field(default_factory=list)
    shares: list[Path] = field(default_factory=list)
    keys: list[Path] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def begin(self) -> "Town":
        """Every trustee makes a certificate."""
        for index in range(1, self.of + 1):
            home = self.folder / str(index)
            home.mkdir(parents=True)
            step = new(index, self.of, self.threshold, home)
            assert step.keep is not None
            self.secrets.append(step.keep)
            self.certificates.append(step.send)
        return self

    def deal(self) -> "Town":
        """Every trustee deals to all."""
        self.steps += [deal(secret, self.certificates) for secret in self.secrets]
        self.polynomials = [step.send for step in self.steps[-self.of :]]
        return self

    def finish(self) -> "Town":
        """Every trustee puts together their share."""
        self.steps += [finish(secret, self.certificates, self.polynomials) for secret in self.secrets]
        self.keys = [step.send for step in self.steps[-self.of :]]
        self.shares = [step.keep for step in self.steps[-self.of :] if step.keep]
        return self

    def assembled(self) -> Assembled:
        """The officer puts trustees.json together."""
        return assemble(self.certificates, self.polynomials, self.keys)


@functools.cache
def dealt() -> Dealt:
    """A dealer's key of 2 of 3, the same for all tests that only read it."""
    return deal_all(3, 2)


def an_election(key: Point, *, uuid: str = UUID, options: Sequence[str] = ("North", "South")) -> Election:
    """An election with one question of one answer."""
    question = Question("Who?", tuple(options), 1, 1)
    return make_election(uuid=uuid, name="Test", description="Test", key=key, questions=[question])


def a_tally(election: Election, numbers: Sequence[Sequence[int]]) -> Tally:
    """An encrypted tally of these sums, as a file that was read."""
    return read_tally(File("tally", tally_bytes(election, numbers)), election)


def tally_bytes(election: Election, numbers: Sequence[Sequence[int]]) -> bytes:
    """The bytes of an encrypted tally of these sums."""
    return compact([[_encrypted(election.key, number) for number in question] for question in numbers])


def _encrypted(key: Point, number: int) -> dict[str, str]:
    once = random_scalar()
    alpha, beta = base_times(once), plus(times(once, key), base_times(number))
    return {"alpha": write_point(alpha), "beta": write_point(beta)}


def compact(value: object) -> bytes:
    """JSON as Belenios writes it."""
    return json.dumps(value, separators=(",", ":")).encode()


# ---- votes and archives


def a_vote(election: Election, secret: int, option: int, draws: Sequence[int] | None = None) -> Ballot:
    """A ballot for one option, by the credential of this secret."""
    choices = [[int(option == place) for place in range(question.ciphertexts)] for question in election.questions]
    sealed = seal(election, base_times(secret), choices, draws or draw_randomness(election))
    return sign(sealed, secret, random_scalar())


def tallied(election: Election, ballots: Sequence[Ballot]) -> bytes:
    """The encrypted tally of ballots: the product of their ciphertexts, place by place; of none the identity."""
    sums = []
    for number, question in enumerate(election.questions):
        columns = [
            [ballot.answers[number].choices[place] for ballot in ballots] for place in range(question.ciphertexts)
        ]
        sums.append([_product(column) for column in columns])
    return compact(sums)


def _product(column: Sequence[Ciphertext]) -> dict[str, str]:
    alpha, beta = product(one.alpha for one in column), product(one.beta for one in column)
    return {"alpha": write_point(alpha), "beta": write_point(beta)}


class Archive:
    """A Belenios archive, written event by event."""

    def __init__(self) -> None:
        self.members: list[tuple[str, bytes]] = [("BELENIOS", b'{"version":1,"timestamp":"0"}')]
        self.parent = ""
        self.height = 0

    def data(self, content: bytes) -> str:
        """Add a piece of data and give its hash."""
        digest = hashlib.sha256(content).hexdigest()
        self.members.append((f"{digest}.data.json", content))
        return digest

    def event(self, kind: str, payload: str = "") -> None:
        """Add an event after the last one."""
        parent = {"parent": self.parent} if self.parent else {}
        content = compact({**parent, "height": self.height, "type": kind, **({"payload": payload} if payload else {})})
        self.parent = hashlib.sha256(content).hexdigest()
        self.height += 1
        self.members.append((f"{self.parent}.event.json", content))

    def write(self, folder: Path, uuid: str) -> None:
        """Write the archive into a folder of its own."""
        folder.mkdir(exist_ok=True)
        (folder / f"{uuid}.bel").write_bytes(b"".join(v7_member(*member) for member in self.members))


def archive_until_tally(election: Election, trustees: bytes, ballots: Sequence[Ballot]) -> Archive:
    """An archive as it is when the trustees begin to decrypt."""
    archive = Archive()
    credentials = compact(sorted(write_point(ballot.credential) for ballot in ballots))
    parts = {"election": election.written, "trustees": trustees, "credentials": credentials}
    setup = compact({name: archive.data(content) for name, content in parts.items()})
    archive.event("Setup", archive.data(setup))
    for ballot in ballots:
        archive.event("Ballot", archive.data(write_ballot(ballot)))
    archive.event("EndBallots")
    tally = archive.data(tallied(election, ballots))
    size = len(ballots)
    archive.event(
        "EncryptedTally", archive.data(compact({"num_tallied": size, "total_weight": size, "encrypted_tally": tally}))
    )
    return archive


def add_decryptions(archive: Archive, decryptions: Iterable[tuple[int, bytes]]) -> Archive:
    """Add each trustee's published decryption."""
    for owner, content in decryptions:
        archive.event("PartialDecryption", archive.data(compact({"owner": owner, "payload": archive.data(content)})))
    return archive


# ---- damage


def changed(data: bytes, place: float, bit: int) -> bytes:
    """The same bytes with one bit of one byte turned; `place` is where, from 0 to 1."""
    at = min(int(place * len(data)), len(data) - 1)
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def vector_files() -> dict[str, bytes]:
    """The members of the archive that belenios-tool made."""
    whole = (VECTORS / "GjqPnUrs2uqamS.bel").read_bytes()
    found, place = {}, 0
    while place < len(whole):
        name, size = whole[place : place + 100].rstrip(b"\0").decode(), int(whole[place + 124 : place + 135], 8)
        found[name] = whole[place + 512 : place + 512 + size]
        place += 512 + (size + 511) // 512 * 512
    return found


def vector_payload(kind: str, number: int = 0) -> Any:
    """The payload of an event of this kind, as JSON."""
    files = vector_files()
    events = [json.loads(data) for name, data in files.items() if name.endswith(".event.json")]
    event = [event for event in events if event["type"] == kind][number]
    return json.loads(files[f"{event['payload']}.data.json"])


def vector_data(digest: str) -> bytes:
    """The data of this hash."""
    return vector_files()[f"{digest}.data.json"]


def shuffled(paths: Sequence[Path]) -> list[Path]:
    """The files in another order."""
    return random.Random(7).sample(list(paths), len(paths))
