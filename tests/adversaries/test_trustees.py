"""One trustee, or fewer than the threshold: they open nothing and prove nothing false; k of them can open all."""

import itertools
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
from false_decryption import Cheat
from opened import choices_of
from trustee_town import UUID, Town, a_vote, an_election, dealt, tallied

from voting.ballots.ballot import Ballot
from voting.ballots.combination import combine, lagrange
from voting.ballots.election import Election
from voting.ballots.group import BASE, IDENTITY, ORDER, base_times, minus, random_scalar, times
from voting.ballots.packed import pack
from voting.ballots.tally import Tally, read_tally
from voting.ballots.trustee_refusals import DecryptionWrong, FileDamaged, TooFewDecryptions
from voting.ballots.trustees import Trustees
from voting.ballots.written import File
from voting.trustees.dealer import deal_all, write_dealt
from voting.trustees.decrypt import Verified, decrypt, make_decryption
from voting.trustees.refusals import ShareServesAnother, TallyRefused
from voting.trustees.shares import Share, read_share

ELECTION = an_election(dealt().trustees.election_key)


def tally_of(election: Election, ballots: Sequence[Ballot]) -> Tally:
    return read_tally(File("tally", tallied(election, ballots)), election)


@cache
def votes(*options: int) -> list[Ballot]:
    return [a_vote(ELECTION, random_scalar(), option) for option in options]


def interpolated(shares: Sequence[Share]) -> int:
    """The best that these trustees can make of their shares: the value at 0 of the lowest polynomial through them."""
    indexes = [share.index for share in shares]
    return sum(share.secret * lagrange(share.index, indexes) for share in shares) % ORDER


@pytest.mark.parametrize(("of", "threshold"), [(3, 2), (3, 3), (5, 3)])
@pytest.mark.parametrize("made_by", ["dealer", "ceremony"])
def test_fewer_trustees_than_the_threshold_open_nothing(tmp_path: Path, of: int, threshold: int, made_by: str) -> None:
    """Guard: as many coefficients as the threshold in dealer's and trustees' polynomials; `combine` counts."""
    shares, trustees = _made(tmp_path, of, threshold, made_by)
    election = an_election(trustees.election_key)
    ballot = a_vote(election, random_scalar(), 0)
    tally = tally_of(election, [ballot])
    files = [File(f"{share.index}.json", make_decryption(share, election, tally)) for share in shares]

    for few in itertools.chain.from_iterable(itertools.combinations(shares, size) for size in range(1, threshold)):
        secret = interpolated(few)
        assert base_times(secret) != election.key
        for alpha, beta in ballot.answers[0].choices:
            assert minus(beta, times(secret, alpha)) not in {IDENTITY, BASE}
        given = [files[share.index - 1] for share in few]
        with pytest.raises(TooFewDecryptions, match=f"{len(few)} of the {threshold} decryptions"):
            combine(given, election=election, trustees=trustees, tally=tally, ballots=1)

    # k of them are what has to be trusted: SECURITY.md says so.
    assert base_times(interpolated(shares[:threshold])) == election.key


def _made(folder: Path, of: int, threshold: int, made_by: str) -> tuple[list[Share], Trustees]:
    if made_by == "dealer":
        key = deal_all(of, threshold)
        return list(key.shares), key.trustees
    town = Town(folder, of, threshold).begin().deal().finish()
    return [read_share(path) for path in town.shares], town.assembled().trustees


def test_a_trustee_with_the_last_voter_proves_no_false_result() -> None:
    """Guard: the second proof, which hashes sum and factor. Belenios's own proof of the false factors holds."""
    trustees = dealt().trustees
    cheat = Cheat(dealt().shares[0], trustees, ELECTION, partners=(1, 3), shift=(-5, 5))
    ballots = cheat.ballots([0, 0, 0, 0, 0, 0, 1, 1])
    tally = tally_of(ELECTION, ballots)
    honest = File("3.json", make_decryption(dealt().shares[2], ELECTION, tally))
    false = File("1.json", cheat.decryption(tally))

    assert cheat.first_proofs_hold(tally)
    with pytest.raises(DecryptionWrong, match=r"false decryption of trustee 1: second_proofs"):
        combine([false, honest], election=ELECTION, trustees=trustees, tally=tally, ballots=len(ballots))


@pytest.mark.parametrize("borrowed_from", ["the true decryption", "the first proof"])
def test_a_second_proof_made_for_something_else_serves_no_false_one(borrowed_from: str) -> None:
    """The accomplice's ballot fits a proof that was fixed before; the second proof cannot be fixed before the factor.

    Guard: the sum and the factor in the second proof's prefix, which is not the first's.
    """
    trustees = dealt().trustees
    cheat = Cheat(dealt().shares[0], trustees, ELECTION, partners=(1, 2), shift=(-1, 1))
    ballots = cheat.ballots([0, 0, 1])
    tally = tally_of(ELECTION, ballots)
    honest = File("2.json", make_decryption(dealt().shares[1], ELECTION, tally))
    false = json.loads(cheat.decryption(tally))
    true = json.loads(make_decryption(dealt().shares[0], ELECTION, tally))
    first = false["decryption"]["decryption_proofs"]
    false["second_proofs"] = true["second_proofs"] if borrowed_from == "the true decryption" else first
    borrowed = File("1.json", json.dumps(false, separators=(",", ":")).encode())

    with pytest.raises(DecryptionWrong, match=r"second_proofs"):
        combine([borrowed, honest], election=ELECTION, trustees=trustees, tally=tally, ballots=len(ballots))


# ---- whoever asks a trustee to decrypt


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_dealt(tmp_path, dealt())
    return tmp_path


def bundle_of(election: Election, ballots: Sequence[Ballot]) -> Callable[[], Verified]:
    return lambda: Verified(election.written, dealt().trustees.data, tallied(election, ballots))


def test_a_trustee_opens_no_single_ballot(home: Path) -> None:
    """Whoever passes the files on asks for the tally, for all but one ballot, for one ballot, and in another election.

    Guard: the record beside the share, made before anything is written, of uuid and tally; and that only what was
    verified whole is decrypted.
    """
    ballots = votes(0, 1, 0)
    share = home / "share-1-of-3.json"
    decrypt(share, home / "tally.json", bundle_of(ELECTION, ballots))

    for name, wanted in {"all-but-one": ballots[:-1], "one": ballots[-1:], "twice": [*ballots, ballots[-1]]}.items():
        with pytest.raises(TallyRefused):
            decrypt(share, home / name, bundle_of(ELECTION, wanted))
        assert not (home / name).exists()
    elsewhere = an_election(ELECTION.key, uuid=f"{UUID}2")
    with pytest.raises(ShareServesAnother):
        decrypt(share, home / "elsewhere", bundle_of(elsewhere, ballots[-1:]))
    assert not (home / "elsewhere").exists()


def test_a_trustee_decrypts_nothing_that_does_not_verify(home: Path) -> None:
    """Guard: `verify` comes before the record and the decryption."""

    def refuses() -> Verified:
        raise FileDamaged(file="belenios/x.bel", problem="a ballot is on no entry of the chain")

    with pytest.raises(FileDamaged):
        decrypt(home / "share-1-of-3.json", home / "one", refuses)

    assert sorted(path.name for path in home.glob("share-1-of-3.json*")) == ["share-1-of-3.json"]
    assert not (home / "one").exists()


def test_every_code_of_the_print_file_opens_no_ballot() -> None:
    """The mailing house has the credential's secret of a ballot. It signs; it is no key of what is in it.

    Guard: the election key in `seal`, to which a choice is encrypted.
    """
    secret = random_scalar()
    ballot = a_vote(ELECTION, secret, 1)

    for alpha, beta in ballot.answers[0].choices:
        for guess in (secret, -secret % ORDER, pow(secret, -1, ORDER)):
            assert minus(beta, times(guess, alpha)) not in {IDENTITY, BASE}
    assert choices_of([pack(ballot)], ELECTION, dealt()) == [(0, 1)]  # k trustees can
