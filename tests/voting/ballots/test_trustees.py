"""trustees.json: whatever is signed and proved in it must fit together."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from trustee_town import compact, dealt

from voting.ballots.group import ORDER, base_times
from voting.ballots.signing import signed
from voting.ballots.trustee_refusals import FileDamaged
from voting.ballots.trustees import read_trustees
from voting.ballots.written import File
from voting.trustees.assemble import write_trustees
from voting.trustees.certificates import Ceremony, commitments_digest, convene, write_certificate
from voting.trustees.deals import Deals, collect, commitments_message, write_deal
from voting.trustees.handovers import make_verification_key
from voting.trustees.secret_file import make_secret

Change = Callable[[dict[str, Any]], object]


def parameters() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dealt().trustees.data)[0][1]
    return found


def swap(name: str) -> Change:
    def change(found: dict[str, Any]) -> None:
        found[name][0], found[name][1] = found[name][1], found[name][0]

    return change


WRONG: dict[str, tuple[Change, str]] = {
    "a lower threshold": (lambda p: p.update(threshold=1), r"certs\[0\] is not as .*its place, size or threshold"),
    "a threshold of nothing": (lambda p: p.update(threshold=0), "threshold is not as"),
    "a threshold that is true": (lambda p: p.update(threshold=True), "threshold is not as"),
    "certificates swapped": (swap("certs"), r"certs\[0\] is not as .*its place, size or threshold"),
    "commitments swapped": (swap("coefexps"), r"coefexps\.signature does not prove"),
    "signatures swapped": (swap("signatures"), r"signatures\[0\] does not prove"),
    "keys swapped": (swap("verification_keys"), r"verification_keys\[0\]\.signature does not prove"),
    "a trustee less": (lambda p: p["certs"].pop(), r"certs\[0\] is not as"),
    "a key less": (lambda p: p["verification_keys"].pop(), "verification_keys is not as .*a list of 3"),
    "a signature less": (lambda p: p["signatures"].pop(), "signatures is not as .*a list of 3"),
    "commitments less": (lambda p: p["coefexps"].pop(), "coefexps is not as .*a list of 3"),
    "no certificates": (lambda p: p.update(certs=[]), "number of certs is not as"),
    "certificates that are no list": (lambda p: p.update(certs="ab"), "number of certs is not as"),
    "a signature that is no object": (lambda p: p["signatures"].__setitem__(0, 1), r"signatures\[0\] is not as"),
    "a message that is no text": (lambda p: p["coefexps"][0].update(message=1), r"coefexps\.message is not as"),
    "a point that is none": (
        lambda p: p["verification_keys"][0].update(public_key="0" * 64),
        r"verification_keys\[0\]\.public_key is not a point",
    ),
    "the identity as a key": (
        lambda p: p["verification_keys"][0].update(public_key="0" * 63 + "1"),
        r"verification_keys\[0\]\.public_key is not a point",
    ),
    "a number of q": (lambda p: p["signatures"][0].update(response=str(ORDER)), r"response is not a number below q"),
    "its fields in another order": (
        lambda p: p.update(threshold=p.pop("threshold")),
        r"trustees\[0\] is not as .*it must have the fields threshold",
    ),
    "a field more": (lambda p: p.update(more=1), r"trustees\[0\] is not as .*it must have the fields threshold"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused_and_named(name: str) -> None:
    change, problem = WRONG[name]
    found = parameters()
    change(found)

    with pytest.raises(FileDamaged, match=rf"^trustees\.json is damaged: .*{problem}"):
        read_trustees(File("trustees.json", compact([["Pedersen", found]])))


PUBLISHED = dealt().trustees.data
SHAPES = {
    "whole, and a new line": PUBLISHED + b"\n",
    "whole, with a space": PUBLISHED.replace(b"[[", b"[ [", 1),
    "whole, with another escape": PUBLISHED.replace(b"Pedersen", rb"\u0050edersen", 1),
    "whole, with a field twice": PUBLISHED.replace(b'"threshold":2', b'"threshold":3,"threshold":2', 1),
    "trustees of another kind": compact([["Single", parameters()]]),
    "empty": b"",
    "not JSON": b"certificate",
    "not ASCII": '"é"'.encode(),
    "too deep": b"[" * 100_000,
    "two items": compact([["Pedersen", {}], ["Pedersen", {}]]),
    "an object": b"{}",
    "a single trustee": compact([["Single", {}]]),
    "with spaces": b'[ ["Pedersen",{}]]',
    "a name twice": b'[["Pedersen",{"threshold":1,"threshold":1}]]',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_no_trustees_json_is_refused(shape: str) -> None:
    with pytest.raises(FileDamaged, match=r"^trustees\.json is damaged"):
        read_trustees(File("trustees.json", SHAPES[shape]))


def a_ceremony(*coefficients: tuple[int, ...]) -> tuple[Ceremony, Deals, list[int]]:
    """A ceremony whose trustees chose these polynomials."""
    secrets = [make_secret(index, len(coefficients), len(coefficients[0])) for index in range(1, len(coefficients) + 1)]
    certificates = []
    for secret, polynomial in zip(secrets, coefficients, strict=True):
        promised = commitments_digest(secret.keys.verification, commitments_message(polynomial))
        certificates.append(File("c", write_certificate(secret.signing_key, secret.keys, promised)))
    ceremony = convene(certificates)
    dealing = zip(secrets, coefficients, strict=True)
    files = [File("p", write_deal(one.signing_key, one.keys.index, own, ceremony)) for one, own in dealing]
    return ceremony, collect(files, ceremony), [secret.signing_key for secret in secrets]


def test_trustees_whose_parts_cancel_make_no_key() -> None:
    ceremony, deals, signers = a_ceremony((5, 7), (ORDER - 5, 8))
    keys = [
        make_verification_key(signer, 15 * place, base_times(15 * place)) for place, signer in enumerate(signers, 1)
    ]

    with pytest.raises(FileDamaged, match="coefexps is not as the rules have it: together they make no key"):
        read_trustees(File("trustees.json", write_trustees(ceremony, deals, keys)))


def test_a_key_that_is_signed_and_proved_but_is_not_of_the_commitments_is_refused() -> None:
    ceremony, deals, signers = a_ceremony((5, 7), (6, 8))
    keys = [make_verification_key(signer, 3, base_times(3)) for signer in signers]

    with pytest.raises(FileDamaged, match=r"verification_keys\[0\] is not as .*it does not fit the commitments"):
        read_trustees(File("trustees.json", write_trustees(ceremony, deals, keys)))


def test_a_key_without_its_proof_is_refused() -> None:
    ceremony, deals, signers = a_ceremony((5, 7), (6, 8))
    keys = [make_verification_key(signer, 3, deals.public_key(place)) for place, signer in enumerate(signers, 1)]

    with pytest.raises(FileDamaged, match=r"verification_keys\[0\]\.pok does not prove"):
        read_trustees(File("trustees.json", write_trustees(ceremony, deals, keys)))


def test_a_certificate_signed_by_another_key_is_refused() -> None:
    found = parameters()
    message = found["certs"][0]["message"]
    found["certs"][0] = signed(12345, message).fields()

    with pytest.raises(FileDamaged, match=r"certs\[0\]\.signature does not prove"):
        read_trustees(File("trustees.json", compact([["Pedersen", found]])))
