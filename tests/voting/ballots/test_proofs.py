"""Proofs: whoever knows passes, whoever does not is refused, and nothing that was hashed can be changed."""

from collections.abc import Callable

import pytest
from sealed import belenios_files

from voting.ballots.election import read_election
from voting.ballots.group import (
    BASE,
    IDENTITY,
    ORDER,
    base_times,
    hash_to_scalar,
    minus,
    plus,
    read_point,
    read_scalar,
    times,
    write_point,
)
from voting.ballots.proofs import (
    Branch,
    Proof,
    Statement,
    check_equality,
    check_knowledge,
    check_one_of,
    decryption_prefix,
    knowledge_prefix,
    prove_equality,
    prove_knowledge,
    prove_one_of,
    second_decryption_prefix,
    shifted,
)
from voting.ballots.refusals import PointWrong, ProofWrong
from voting.ballots.strict_json import read_json

SECRET, NONCE = hash_to_scalar("secret"), hash_to_scalar("nonce")
PUBLIC = base_times(SECRET)
ALPHA = base_times(77)
FACTOR = times(SECRET, ALPHA)
KEY = base_times(hash_to_scalar("key"))
PREFIX = knowledge_prefix("pok", "Ed25519", write_point(PUBLIC))
OFF_BY_ONE: list[Callable[[Proof], Proof]] = [
    lambda proof: Proof((proof.challenge + 1) % ORDER, proof.response),
    lambda proof: Proof(proof.challenge, (proof.response + 1) % ORDER),
    lambda proof: Proof(proof.response, proof.challenge),
    lambda _: Proof(0, 0),
]


def test_a_prefix_is_its_parts_with_bars() -> None:
    assert knowledge_prefix("sig", "hash") == "sig|hash|"
    assert knowledge_prefix("pok", "Ed25519", "X") == "pok|Ed25519|X|"
    assert decryption_prefix("H", BASE) == f"decrypt|H|{write_point(BASE)}|"
    parts = "|".join(map(write_point, (BASE, ALPHA, FACTOR)))
    assert second_decryption_prefix("H", BASE, ALPHA, FACTOR) == f"ballotline decrypt 1|H|{parts}|"


def test_whoever_knows_the_secret_can_prove_it() -> None:
    check_knowledge(prove_knowledge(SECRET, PREFIX, NONCE), PUBLIC, PREFIX, "pok")


@pytest.mark.parametrize("change", OFF_BY_ONE)
def test_a_changed_proof_of_knowledge_is_refused(change: Callable[[Proof], Proof]) -> None:
    with pytest.raises(ProofWrong, match="pok does not prove"):
        check_knowledge(change(prove_knowledge(SECRET, PREFIX, NONCE)), PUBLIC, PREFIX, "pok")


def test_a_proof_of_knowledge_is_bound_to_key_and_prefix() -> None:
    proof = prove_knowledge(SECRET, PREFIX, NONCE)
    with pytest.raises(ProofWrong):
        check_knowledge(proof, KEY, PREFIX, "pok")
    with pytest.raises(ProofWrong):
        check_knowledge(proof, PUBLIC, PREFIX + "|", "pok")
    with pytest.raises(PointWrong, match="pok"):
        check_knowledge(proof, bytes(32), PREFIX, "pok")


@pytest.mark.parametrize("alpha", [ALPHA, IDENTITY], ids=["a sum", "the sum of no ballots"])
def test_a_true_factor_is_proved(alpha: bytes) -> None:
    factor = times(SECRET, alpha)
    proof = prove_equality(SECRET, alpha, "decrypt|", NONCE)
    check_equality(proof, public=PUBLIC, alpha=alpha, factor=factor, prefix="decrypt|", field="proof")


@pytest.mark.parametrize("change", OFF_BY_ONE)
def test_a_changed_proof_of_a_factor_is_refused(change: Callable[[Proof], Proof]) -> None:
    proof = change(prove_equality(SECRET, ALPHA, "decrypt|", NONCE))
    with pytest.raises(ProofWrong):
        check_equality(proof, public=PUBLIC, alpha=ALPHA, factor=FACTOR, prefix="decrypt|", field="proof")


@pytest.mark.parametrize(
    "facts",
    [{"public": KEY}, {"alpha": BASE}, {"factor": BASE}, {"factor": IDENTITY}, {"prefix": "decrypt"}],
    ids=["key", "sum", "factor", "no factor", "prefix"],
)
def test_a_proof_of_a_factor_is_bound_to_all_it_speaks_of(facts: dict[str, bytes]) -> None:
    good: dict[str, object] = {"public": PUBLIC, "alpha": ALPHA, "factor": FACTOR, "prefix": "decrypt|"}
    proof = prove_equality(SECRET, ALPHA, "decrypt|", NONCE)
    with pytest.raises(ProofWrong):
        check_equality(proof, **{**good, **facts}, field="proof")  # type: ignore[arg-type]


def test_a_factor_outside_the_group_is_refused() -> None:
    proof = prove_equality(SECRET, ALPHA, "decrypt|", NONCE)
    with pytest.raises(PointWrong, match="proof"):
        check_equality(proof, public=PUBLIC, alpha=ALPHA, factor=bytes(32), prefix="decrypt|", field="proof")


def test_the_second_proof_sees_a_sum_chosen_after_the_first() -> None:
    """A trustee and the last voter: commitments first, then a sum and a false factor that fit the challenge."""
    prefix = decryption_prefix("H", PUBLIC)
    one, two = base_times(NONCE), base_times(4_321)  # B is any point
    challenge = hash_to_scalar(f"{prefix}{write_point(one)},{write_point(two)}")
    response = (NONCE - SECRET * challenge) % ORDER
    alpha = ALPHA
    false = times(pow(challenge, -1, ORDER), minus(two, times(response, alpha)))
    forged = Proof(challenge, response)
    assert false != times(SECRET, alpha)
    check_equality(forged, public=PUBLIC, alpha=alpha, factor=false, prefix=prefix, field="proof")

    second = second_decryption_prefix("H", PUBLIC, alpha, false)
    with pytest.raises(ProofWrong):
        check_equality(forged, public=PUBLIC, alpha=alpha, factor=false, prefix=second, field="second")


def encrypted(value: int, secret: int = 99) -> tuple[bytes, bytes]:
    return base_times(secret), plus(times(secret, KEY), base_times(value))


def one_of(value: int, values: range, prefix: str = "prove|") -> list[Proof]:
    branches = [
        Branch(99, value - other, hash_to_scalar(f"nonce {other}"), hash_to_scalar(f"challenge {other}"))
        for other in values
    ]
    return prove_one_of(KEY, branches, value - values.start, prefix)


def statements(value: int, values: range) -> list[Statement]:
    return [shifted(*encrypted(value), other) for other in values]


@pytest.mark.parametrize("values", [range(2), range(1, 2), range(5), range(3, 6)], ids=str)
def test_each_allowed_sum_is_proved(values: range) -> None:
    for value in values:
        check_one_of(KEY, statements(value, values), one_of(value, values), "prove|", "overall_proof")


@pytest.mark.parametrize("value", [-999, -1, 2, 1_000])
def test_a_sum_that_is_not_allowed_cannot_be_proved(value: int) -> None:
    """The prover claims that the first statement is true; it is not."""
    branches = [Branch(99, value - other, 11, 12) for other in range(2)]
    with pytest.raises(ProofWrong, match="overall_proof"):
        check_one_of(
            KEY, statements(value, range(2)), prove_one_of(KEY, branches, 0, "prove|"), "prove|", "overall_proof"
        )


@pytest.mark.parametrize("change", OFF_BY_ONE)
@pytest.mark.parametrize("index", [0, 1])
def test_a_changed_proof_of_a_sum_is_refused(change: Callable[[Proof], Proof], index: int) -> None:
    proofs = one_of(1, range(2))
    proofs[index] = change(proofs[index])
    with pytest.raises(ProofWrong):
        check_one_of(KEY, statements(1, range(2)), proofs, "prove|", "overall_proof")


def test_a_proof_of_a_sum_is_bound_to_prefix_key_and_order() -> None:
    proofs = one_of(1, range(2))
    with pytest.raises(ProofWrong):
        check_one_of(KEY, statements(1, range(2)), proofs, "prove", "overall_proof")
    with pytest.raises(ProofWrong):
        check_one_of(PUBLIC, statements(1, range(2)), proofs, "prove|", "overall_proof")
    with pytest.raises(ProofWrong):
        check_one_of(KEY, statements(1, range(2)), proofs[::-1], "prove|", "overall_proof")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_or_too_many_proofs_are_refused(count: int) -> None:
    with pytest.raises(ProofWrong):
        check_one_of(KEY, statements(1, range(2)), (one_of(1, range(2)) * 2)[:count], "prove|", "overall_proof")
    with pytest.raises(ProofWrong):
        check_one_of(KEY, [], one_of(1, range(2))[:count] or [Proof(0, 0)], "prove|", "overall_proof")


@pytest.mark.parametrize("number", [0, 1])
def test_belenios_own_decryptions_hold_and_no_other(number: int) -> None:
    files = belenios_files()
    election = read_election(files["election 0"])
    whole = read_json(files[f"decryption {number}"], bytes_max=9_999, field="decryption").value
    tally = read_json(files["tally 0"], bytes_max=9_999, field="tally").value
    public = _key_of(files, number)
    for sums, factors, proofs in zip(tally, whole["decryption_factors"], whole["decryption_proofs"], strict=True):
        for ciphertext, factor, written in zip(sums, factors, proofs, strict=True):
            proof = Proof(*(read_scalar(written[name], name) for name in Proof._fields))
            facts = {
                "alpha": read_point(ciphertext["alpha"], "alpha"),
                "prefix": decryption_prefix(election.hash, public),
            }
            good = read_point(factor, "factor")
            check_equality(proof, public=public, factor=good, field="proof", **facts)  # type: ignore[arg-type]
            with pytest.raises(ProofWrong):
                check_equality(proof, public=public, factor=plus(good, BASE), field="proof", **facts)  # type: ignore[arg-type]


def _key_of(files: dict[str, bytes], number: int) -> bytes:
    keys = read_json(files["trustees 0"], bytes_max=9_999, field="trustees").value[0][1]["verification_keys"]
    return read_point(keys[number]["public_key"], "public_key")


def test_belenios_trustees_know_their_secrets() -> None:
    files = belenios_files()
    for trustee in read_json(files["trustees 0"], bytes_max=9_999, field="trustees").value[0][1]["verification_keys"]:
        proof = Proof(*(read_scalar(trustee["pok"][name], name) for name in Proof._fields))
        prefix = knowledge_prefix("pok", "Ed25519", trustee["public_key"])
        check_knowledge(proof, read_point(trustee["public_key"], "public_key"), prefix, "pok")
