"""Elections, credentials and ballots for the tests of voting/ballots and of whoever counts ballots."""

import tarfile
from pathlib import Path

from voting.ballots.ballot import Ballot, sign
from voting.ballots.credential import public_credential
from voting.ballots.election import Election, Question, make_election
from voting.ballots.group import base_times, hash_to_scalar
from voting.ballots.seal import Choices, draws_needed, seal

BELENIOS: Path = Path(__file__).parents[1] / "data" / "belenios" / "GjqPnUrs2uqamS.bel"
KINDS = {
    b'{"version":1,"description"': "election",
    b'[["Pedersen"': "trustees",
    b'[[{"alpha"': "tally",
    b'{"election_uuid"': "ballot",
    b'{"decryption_factors"': "decryption",
}
UUID = "Ba11ot1inefor1"
TRUSTEE = hash_to_scalar("the trustee's secret")
SECRET = hash_to_scalar("the member's secret")
ONE_OF_TWO = Question("Who leads?", ("North", "South"), 1, 1)
BLANK_OR_SOME = Question('Which "two", or none?', ("A", "B", "C"), 1, 2, blank=True)
ANY = Question("Any of these?", ("Ŵy", "Ŷd"), 0, 2)
BLANK_OR_ANY = Question("Any, or none said?", ("X",), 0, 1, blank=True)


def election_of(*questions: Question, uuid: str = UUID) -> Election:
    """An election with these questions, whose one trustee has TRUSTEE."""
    key = base_times(TRUSTEE)
    return make_election(uuid=uuid, name="Plaid", description="For tests", key=key, questions=questions)


def draws_for(election: Election, seed: str = "draws") -> list[int]:
    """The same random numbers each time, one list a seed."""
    return [hash_to_scalar(f"{seed}|{number}") for number in range(draws_needed(election))]


def ballot_for(election: Election, choices: Choices, seed: str = "draws", secret: int = SECRET) -> Ballot:
    """A signed ballot with these choices."""
    sealed = seal(election, public_credential(secret), choices, draws_for(election, seed))
    return sign(sealed, secret, hash_to_scalar(f"{seed}|signature"))


def belenios_files() -> dict[str, bytes]:
    """Belenios's own archive: every data file by its kind and number, as `election 0`, `ballot 4`, `decryption 1`."""
    files: dict[str, bytes] = {}
    with tarfile.open(BELENIOS) as archive:
        for member in archive:
            file = archive.extractfile(member)
            content = file.read() if file else b""
            for start, kind in KINDS.items():
                if content.startswith(start):
                    files[f"{kind} {sum(name.startswith(kind) for name in files)}"] = content
    return files
