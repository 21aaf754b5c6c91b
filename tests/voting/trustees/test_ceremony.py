"""The ceremony between trustees who do not trust each other's files: every mess is one sentence."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trustee_town import Town, changed, shuffled

from voting.ballots.group import base_times, product, read_point
from voting.ballots.pedersen import Keys
from voting.ballots.signing import sign, signed
from voting.ballots.trustee_refusals import FileDamaged, FileForeign, TrusteeRefusal, TrusteesMissing, TwoFromOne
from voting.ballots.trustees import read_trustees
from voting.ballots.written import File, write_proof
from voting.trustees import letters
from voting.trustees.assemble import assemble
from voting.trustees.certificates import Certificate, commitments_digest, convene, read_certificate, write_certificate
from voting.trustees.deals import collect, commitments_message, read_deal, write_deal
from voting.trustees.disk import read_file
from voting.trustees.handovers import read_handover, write_handover
from voting.trustees.letters import receive, send
from voting.trustees.refusals import (
    BadThreshold,
    CommitmentsChanged,
    DealtElsewhere,
    FileTaken,
    SecretMissing,
    WrongShare,
)
from voting.trustees.secret_file import Secret, make_secret, read_secret
from voting.trustees.shares import read_share, try_share
from voting.trustees.signed_file import read_signed_file, write_signed_file
from voting.trustees.trustee import deal, finish, new, secret_in


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path).begin()


# ---- as it should be


@pytest.mark.parametrize(("threshold", "of"), [(1, 1), (1, 3), (2, 2), (2, 3), (3, 3), (3, 5)])
def test_a_ceremony_gives_everybody_a_share_that_fits_what_is_published(
    tmp_path: Path, threshold: int, of: int
) -> None:
    town = Town(tmp_path, of, threshold).begin().deal().finish()

    assembled = town.assembled()

    assert (assembled.trustees.threshold, len(assembled.trustees.keys)) == (threshold, of)
    for path in town.shares:
        try_share(read_share(path), assembled.trustees)
    assert {step.fingerprint for step in town.steps} == {assembled.fingerprint}
    assert assembled.notes == ()


def test_the_files_may_come_in_any_order(town: Town) -> None:
    town.deal().finish()

    assembled = assemble(shuffled(town.certificates), shuffled(town.polynomials)[::-1], shuffled(town.keys))

    assert assembled.trustees.data == town.assembled().trustees.data


def test_the_same_file_twice_counts_once_and_is_said_so(town: Town) -> None:
    town.deal().finish()
    twice = [[*paths, paths[0]] for paths in (town.certificates, town.polynomials, town.keys)]

    assembled = assemble(*twice)

    assert assembled.trustees == town.assembled().trustees
    assert assembled.notes == (
        "certificate-1-of-3.json says the same as certificate-1-of-3.json; it counts once.",
        "polynomial-1-of-3.json says the same as polynomial-1-of-3.json; it counts once.",
        "key-1-of-3.json says the same as key-1-of-3.json; it counts once.",
    )


def test_each_step_done_again_changes_nothing(town: Town) -> None:
    town.deal().finish()
    before = {path: path.read_bytes() for path in town.folder.rglob("*") if path.is_file()}

    new(1, 3, 2, town.folder / "1")
    deal(town.secrets[0], town.certificates)
    finish(town.secrets[0], town.certificates, town.polynomials)

    assert {path: path.read_bytes() for path in town.folder.rglob("*") if path.is_file()} == before


def test_a_lost_certificate_is_written_again_the_same(town: Town) -> None:
    before = town.certificates[0].read_bytes()
    town.certificates[0].unlink()

    new(1, 3, 2, town.folder / "1")

    assert town.certificates[0].read_bytes() == before


def test_a_lost_key_file_is_made_again_and_means_the_same(town: Town) -> None:
    town.deal().finish()
    first = town.keys[0].rename(town.folder / "earlier.json")
    finish(town.secrets[0], town.certificates, town.polynomials)

    assembled = assemble(town.certificates, town.polynomials, [first, *town.keys])

    assert assembled.notes == ("key-1-of-3.json says the same as earlier.json; it counts once.",)


def test_secrets_are_for_their_owner_only_and_are_never_shown(town: Town) -> None:
    town.deal().finish()

    for path in (*town.secrets, *town.shares, *town.folder.rglob("*.ceremony")):
        assert path.stat().st_mode & 0o777 == 0o600, path
    secret, share = read_secret(town.secrets[0]), read_share(town.shares[0])
    assert repr(secret) == "<secrets of trustee 1 of 3>"
    assert repr(share) == "<share 1 of 3>"
    assert not list(town.folder.rglob(".*")), "nothing half-written is left"


# ---- mess


def forge(town: Town, index: int, make: Callable[[Secret], bytes], kind: str) -> Path:
    """Trustee `index` writes a file of their own making, with their own keys."""
    path = town.folder / f"forged-{kind}-{index}.json"
    path.write_bytes(make(read_secret(town.secrets[index - 1])))
    return path


def other_ceremony(town: Town) -> Town:
    return Town(town.folder / "other", town.of, town.threshold).begin()


def test_a_certificate_of_a_ceremony_of_another_size_is_named(town: Town) -> None:
    other = Town(town.folder / "other", 4, 2).begin()

    with pytest.raises(FileForeign, match=r"certificate-2-of-4\.json belongs to another ceremony: its number"):
        deal(town.secrets[0], [town.certificates[0], other.certificates[1], town.certificates[2]])
    with pytest.raises(FileForeign, match=r"certificate-2-of-4\.json belongs to another ceremony: its number"):
        assemble([town.certificates[0], other.certificates[1]], [], [])


def test_a_certificate_of_a_ceremony_with_another_threshold_is_named(town: Town) -> None:
    other = Town(town.folder / "other", 3, 1).begin()

    with pytest.raises(FileForeign, match=r"certificate-2-of-3\.json belongs to another ceremony: its number"):
        deal(town.secrets[0], [town.certificates[0], other.certificates[1], town.certificates[2]])


def test_a_certificate_that_is_not_mine_in_my_place_is_named(town: Town) -> None:
    other = other_ceremony(town)

    with pytest.raises(FileForeign, match="it is not your certificate, and you are 1"):
        deal(town.secrets[0], [other.certificates[0], *town.certificates[1:]])


def test_another_certificate_with_my_keys_is_named(town: Town) -> None:
    def again(secret: Secret) -> bytes:
        return write_certificate(secret.signing_key, secret.keys, "0" * 64)

    with pytest.raises(FileForeign, match="it is not the certificate that you made"):
        deal(town.secrets[0], [forge(town, 1, again, "certificate"), *town.certificates[1:]])


def test_two_different_certificates_of_one_trustee_are_named(town: Town) -> None:
    other = other_ceremony(town)
    second = shutil.copy(other.certificates[1], town.folder / "second.json")

    with pytest.raises(
        TwoFromOne, match=r"second\.json and certificate-2-of-3\.json are two different files of trustee 2"
    ):
        deal(town.secrets[0], [*town.certificates, Path(second)])


def test_who_has_not_sent_a_certificate_is_named(town: Town) -> None:
    with pytest.raises(TrusteesMissing, match=r"The certificate of these trustees is missing: 2, 3\."):
        deal(town.secrets[0], town.certificates[:1])
    with pytest.raises(TrusteesMissing, match=r"The certificate of these trustees is missing: 1\."):
        assemble([], [], [])


def test_a_trustee_who_copies_anothers_key_is_refused(town: Town) -> None:
    theirs = read_secret(town.secrets[0]).keys

    def copied(secret: Secret) -> bytes:
        keys = Keys(2, 3, 2, secret.keys.verification, theirs.encryption)
        return write_certificate(secret.signing_key, keys, "0" * 64)

    with pytest.raises(FileForeign, match="no two may have the same key"):
        deal(town.secrets[2], [town.certificates[0], forge(town, 2, copied, "certificate"), town.certificates[2]])


def test_nobody_deals_to_two_sets_of_certificates(town: Town) -> None:
    """Whoever plays all other trustees, twice, would learn nothing more: there is no second time."""
    other = other_ceremony(town)
    deal(town.secrets[0], town.certificates)

    with pytest.raises(DealtElsewhere, match="begin a new ceremony"):
        deal(town.secrets[0], [town.certificates[0], *other.certificates[1:]])


def test_a_different_set_of_certificates_has_a_different_fingerprint(town: Town) -> None:
    other = other_ceremony(town)

    mine = deal(town.secrets[0], town.certificates).fingerprint
    theirs = deal(town.secrets[1], [other.certificates[0], *town.certificates[1:]]).fingerprint

    assert mine != theirs


def test_the_fingerprint_is_long_enough_for_who_plays_the_other_trustees(town: Town) -> None:
    """One mark could be met from both sides with 2^40 tries; so there are two, over different bytes."""
    ceremony = convene([read_file(path) for path in town.certificates])
    first, second = ceremony.fingerprint.split()

    assert (len(first), len(second)) == (len("ABCD-EFGH-JKMN-PQRS"),) * 2
    assert ceremony._replace(digest=ceremony.digest[:20] + "0" * 44).fingerprint.split()[0] == first
    assert ceremony._replace(digest="0" * 20 + ceremony.digest[20:]).fingerprint.split()[1] == second
    assert first != second


def test_a_polynomial_or_key_of_another_ceremony_is_named(town: Town) -> None:
    other = other_ceremony(town).deal().finish()
    town.deal().finish()

    with pytest.raises(
        FileForeign, match=r"polynomial-2-of-3\.json belongs to another ceremony: it was made for other"
    ):
        finish(town.secrets[0], town.certificates, [town.polynomials[0], *other.polynomials[1:]])
    with pytest.raises(FileForeign, match=r"key-2-of-3\.json belongs to another ceremony: it was made for other"):
        assemble(town.certificates, town.polynomials, [town.keys[0], *other.keys[1:]])


def test_who_has_not_sent_a_polynomial_or_key_is_named(town: Town) -> None:
    town.deal().finish()

    with pytest.raises(TrusteesMissing, match=r"The polynomial of these trustees is missing: 3\."):
        finish(town.secrets[0], town.certificates, town.polynomials[:2])
    with pytest.raises(TrusteesMissing, match=r"The key of these trustees is missing: 1\."):
        assemble(town.certificates, town.polynomials, town.keys[1:])


def test_a_rushing_trustee_who_chooses_after_seeing_others_is_named(town: Town) -> None:
    """Trustee 3 waits for the others' commitments, then deals a polynomial that makes the key they want."""
    town.deal()

    def late(secret: Secret) -> bytes:
        return write_deal(secret.signing_key, 3, (12345, 67890), convene([read_file(p) for p in town.certificates]))

    with pytest.raises(CommitmentsChanged, match="Trustee 3 sent other commitments than their certificate promised"):
        finish(town.secrets[0], town.certificates, [*town.polynomials[:2], forge(town, 3, late, "polynomial")])


def test_a_trustee_cannot_promise_the_commitments_of_another() -> None:
    one, other = make_secret(1, 2, 2), make_secret(2, 2, 2)
    message = commitments_message(one.polynomial)

    assert commitments_digest(one.keys.verification, message) != commitments_digest(other.keys.verification, message)


def dealt_with(town: Town, letter_to_first: Callable[[Secret, Certificate], object]) -> Path:
    """Trustee 2 deals by the rules, but for the letter to trustee 1."""
    first = read_certificate(read_file(town.certificates[0]))

    def change(secret: Secret, values: dict[str, Any]) -> None:
        values["letters"][0] = letter_to_first(secret, first)

    return dealt_otherwise(town, change)


def dealt_otherwise(town: Town, change: Callable[[Secret, dict[str, Any]], object]) -> Path:
    """Trustee 2 deals, changes something, and signs that."""
    ceremony = convene([read_file(path) for path in town.certificates])
    names = ("index", "ceremony", "coefexps", "signature", "letters")

    def make(secret: Secret) -> bytes:
        good = write_deal(secret.signing_key, 2, secret.polynomial, ceremony)
        values = dict(zip(names, read_signed_file(good, "ballotline polynomial 1", names).values, strict=True))
        change(secret, values)
        return write_signed_file(secret.signing_key, "ballotline polynomial 1", values)

    return forge(town, 2, make, "polynomial")


OTHER_DEALS: dict[str, tuple[Callable[[Secret, dict[str, Any]], object], str]] = {
    "does not sign all certificates": (
        lambda secret, deal: deal.update(signature=write_proof(sign(secret.signing_key, "certs_sig|{}"))),
        "signature does not prove",
    ),
    "commits to one power less": (
        lambda secret, deal: deal.update(
            coefexps=signed(secret.signing_key, commitments_message(secret.polynomial[:1])).fields()
        ),
        r"coefexps is not as the rules have it: it must be a list of 2",
    ),
    "commits to the identity": (
        lambda secret, deal: deal.update(coefexps=signed(secret.signing_key, commitments_message((0, 0))).fields()),
        r"coefexps\[0\] is not a point of order q",
    ),
    "has commitments signed by another": (
        lambda secret, deal: deal.update(coefexps=signed(5, commitments_message(secret.polynomial)).fields()),
        r"coefexps\.signature does not prove",
    ),
    "writes a letter less": (lambda _, deal: deal["letters"].pop(), "letters is not as .*a list of 3"),
}


@pytest.mark.parametrize("case", OTHER_DEALS)
def test_a_trustee_who_does_not_deal_by_the_rules_is_refused_by_everybody(town: Town, case: str) -> None:
    town.deal()
    change, problem = OTHER_DEALS[case]
    wrong = dealt_otherwise(town, change)

    for secret in town.secrets:
        with pytest.raises(FileDamaged, match=rf"forged-polynomial-2\.json is damaged: {problem}"):
            finish(secret, town.certificates, [town.polynomials[0], wrong, town.polynomials[2]])


UNHASHABLE = r'{"message":"\ud800","signature":{"challenge":"1","response":"1"}}'  # half a character

WRONG_LETTERS: dict[str, tuple[Callable[[Secret, Certificate], object], str]] = {
    "another number": (
        lambda secret, to: send(secret.signing_key, to.keys.encryption, '{"secret":"1"}'),
        "it does not fit their commitments",
    ),
    "not a number": (
        lambda secret, to: send(secret.signing_key, to.keys.encryption, '{"secret":"01"}'),
        r"letters\[0\] is not a number below q",
    ),
    "no secret": (
        lambda secret, to: send(secret.signing_key, to.keys.encryption, "{}"),
        r"letters\[0\] is not as the rules have it: it must have the fields secret",
    ),
    "signed by nobody known": (
        lambda _, to: send(12345, to.keys.encryption, '{"secret":"1"}'),
        r"letters\[0\]\.signature does not prove",
    ),
    "not in ASCII": (
        lambda _, to: letters._encrypt(to.keys.encryption, UNHASHABLE),
        r"letters\[0\]\.message is not as the rules have it: it must be a text in ASCII",
    ),
    "to somebody else": (
        lambda secret, _: send(secret.signing_key, secret.keys.encryption, '{"secret":"1"}'),
        r"letters\[0\] is not as the rules have it: it cannot be decrypted",
    ),
}


@pytest.mark.parametrize("letter", WRONG_LETTERS)
def test_who_sends_a_wrong_share_is_named_by_the_one_who_got_it(town: Town, letter: str) -> None:
    town.deal()
    make, problem = WRONG_LETTERS[letter]
    wrong = dealt_with(town, make)
    polynomials = [town.polynomials[0], wrong, town.polynomials[2]]

    with pytest.raises(WrongShare, match=rf"Trustee 2 sent you a wrong share \({problem}"):
        finish(town.secrets[0], town.certificates, polynomials)
    assert not list((town.folder / "1").glob("share*"))
    finish(town.secrets[2], town.certificates, polynomials)  # the others' letters are good, and they cannot know


BROKEN_LETTERS: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "no digits": lambda letter: letter | {"data": "x" * 200},
    "capital digits": lambda letter: letter | {"data": letter["data"].upper()},
    "too short": lambda letter: letter | {"data": "00" * 40},
    "no point": lambda letter: letter | {"alpha": "0" * 64},
    "the identity": lambda letter: letter | {"beta": "0" * 63 + "1"},
    "a field more": lambda letter: letter | {"more": ""},
}


@pytest.mark.parametrize("letter", BROKEN_LETTERS)
def test_a_letter_that_nobody_could_open_is_seen_by_all(town: Town, letter: str) -> None:
    town.deal()
    change = BROKEN_LETTERS[letter]
    wrong = dealt_with(town, lambda secret, to: change(send(secret.signing_key, to.keys.encryption, "1" * 99)))

    for secret in town.secrets:
        with pytest.raises(FileDamaged, match=r"forged-polynomial-2\.json is damaged: letters\[0\]"):
            finish(secret, town.certificates, [town.polynomials[0], wrong, town.polynomials[2]])


def test_a_signed_file_of_another_kind_is_not_taken_for_a_polynomial(town: Town) -> None:
    town.deal()
    names = ("index", "ceremony", "coefexps", "signature", "letters")
    values = read_signed_file(town.polynomials[1].read_bytes(), "ballotline polynomial 1", names).values

    def other_kind(secret: Secret) -> bytes:
        return write_signed_file(secret.signing_key, "ballotline polynomial 2", dict(zip(names, values, strict=True)))

    with pytest.raises(FileDamaged, match="format is not as the rules have it: it must be ballotline polynomial 1"):
        finish(town.secrets[0], town.certificates, [forge(town, 2, other_kind, "polynomial"), town.polynomials[0]])


def test_another_trustees_file_in_the_place_of_mine_is_not_taken_for_mine(town: Town) -> None:
    town.deal()
    shutil.copy(town.polynomials[1], town.polynomials[0])
    with pytest.raises(FileTaken, match=r"polynomial-1-of-3\.json is already there"):
        deal(town.secrets[0], town.certificates)
    town.polynomials[0].unlink()
    deal(town.secrets[0], town.certificates)
    town.finish()

    shutil.copy(town.keys[1], town.keys[0])
    with pytest.raises(FileTaken, match=r"key-1-of-3\.json is already there"):
        finish(town.secrets[0], town.certificates, town.polynomials)


def test_a_letter_says_whom_it_is_for() -> None:
    """A recipient cannot pass a letter on as if it had been written to a third."""
    sender, first, third = 111, 222, 333
    opened = receive(first, base_times(sender), send(sender, base_times(first), "a"), "letter")
    assert opened == "a"

    passed_on = _passed_on(sender, first, third)

    with pytest.raises(Exception, match=r"letter\.recipient is not as the rules have it"):
        receive(third, base_times(sender), passed_on, "letter")


def _passed_on(sender: int, first: int, third: int) -> object:
    inner = letters._decrypt(first, send(sender, base_times(first), "a"), "letter")
    return letters._encrypt(base_times(third), inner.decode())


def test_a_key_that_does_not_fit_the_commitments_is_refused(town: Town) -> None:
    town.deal().finish()
    ceremony = convene([read_file(path) for path in town.certificates])

    class Deals:
        def public_key(self, _index: int) -> bytes:
            return base_times(5)

    def another(secret: Secret) -> bytes:
        return write_handover(secret.signing_key, 2, 5, ceremony, Deals())  # type: ignore[arg-type]

    with pytest.raises(FileDamaged, match=r"key\.public_key is not as the rules have it: it does not fit"):
        assemble(town.certificates, town.polynomials, [town.keys[0], forge(town, 2, another, "key"), town.keys[2]])


@pytest.mark.parametrize(
    ("index", "of", "threshold"), [(0, 3, 2), (4, 3, 2), (1, 3, 0), (1, 3, 4), (1, 17, 2), (1, 0, 0)], ids=str
)
def test_numbers_that_cannot_be_are_refused(tmp_path: Path, index: int, of: int, threshold: int) -> None:
    with pytest.raises(BadThreshold, match=f"{threshold} of {of} cannot be: 1 to 16 trustees"):
        new(index, of, threshold, tmp_path)


def test_a_second_ceremony_needs_another_folder(town: Town) -> None:
    with pytest.raises(FileTaken, match=r"trustee-1-of-3\.secret\.json is already there"):
        new(1, 3, 3, town.folder / "1")


def test_a_file_that_cannot_be_read_or_is_too_large_is_named(town: Town) -> None:
    large = town.folder / "large.json"
    large.write_bytes(b"0" * (1 << 23))

    with pytest.raises(FileDamaged, match=r"none\.json is damaged: it cannot be read \(No such file or directory\)"):
        deal(town.secrets[0], [town.folder / "none.json"])
    with pytest.raises(FileDamaged, match=r"large\.json is damaged: it is too large"):
        deal(town.secrets[0], [large])


# ---- any changed byte

PLACES = st.floats(0, 1, exclude_max=True)
BITS = st.integers(0, 7)
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(tmp_path_factory.mktemp("town")).begin().deal().finish()


@SLOW
@given(place=PLACES, bit=BITS)
def test_any_changed_byte_of_a_certificate_is_refused(played: Town, place: float, bit: int) -> None:
    with pytest.raises(FileDamaged):
        read_certificate(File("one", changed(played.certificates[0].read_bytes(), place, bit)))


@SLOW
@given(place=PLACES, bit=BITS)
def test_any_changed_byte_of_a_polynomial_is_refused(played: Town, place: float, bit: int) -> None:
    ceremony = convene([read_file(path) for path in played.certificates])

    with pytest.raises((FileDamaged, FileForeign)):
        read_deal(File("one", changed(played.polynomials[0].read_bytes(), place, bit)), ceremony)


@SLOW
@given(place=PLACES, bit=BITS)
def test_any_changed_byte_of_a_key_is_refused(played: Town, place: float, bit: int) -> None:
    ceremony = convene([read_file(path) for path in played.certificates])
    deals = collect([read_file(path) for path in played.polynomials], ceremony)

    with pytest.raises((FileDamaged, FileForeign)):
        read_handover(File("one", changed(played.keys[0].read_bytes(), place, bit)), ceremony, deals)


@SLOW
@given(place=PLACES, bit=BITS)
def test_any_changed_byte_of_the_published_trustees_is_refused(played: Town, place: float, bit: int) -> None:
    with pytest.raises(FileDamaged):
        read_trustees(File("trustees.json", changed(played.assembled().trustees.data, place, bit)))


@SLOW
@given(place=PLACES, bit=BITS)
def test_any_changed_byte_of_a_secret_or_share_is_noticed(played: Town, place: float, bit: int) -> None:
    for source, read in ((played.secrets[0], read_secret), (played.shares[0], read_share)):
        copy = played.folder / f"copy of {source.name}"
        copy.write_bytes(changed(source.read_bytes(), place, bit))
        with pytest.raises(TrusteeRefusal):
            read(copy)


def test_the_election_key_is_the_product_of_what_all_committed_to(played: Town) -> None:
    published = json.loads(played.assembled().trustees.data)[0][1]
    first = [read_point(json.loads(one["message"])["coefexps"][0], "first") for one in published["coefexps"]]

    assert product(first) == played.assembled().trustees.election_key


def test_a_trustee_s_folder_holds_one_secret(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(SecretMissing, match="holds no secret of a trustee, or more than one"):
        secret_in(home)
    made = new(1, 3, 2, home).keep
    assert secret_in(home) == made
    new(2, 3, 2, home)
    with pytest.raises(SecretMissing):
        secret_in(home)
