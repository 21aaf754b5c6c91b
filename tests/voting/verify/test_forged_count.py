"""What an operator who holds the signing key could publish: papers, credentials, ballots, sums, results.

Everything derived is derived anew and signed, so each case is stopped by one rule alone: taken out, its test fails.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_bundle import (
    SECONDS,
    UUID,
    Made,
    _issue,
    compact,
    entry_of,
    secret_of,
    sha256,
    vote_of,
    written,
)
from made_edits import Entries, after, body, both, entry, forged, number_of, without, words
from trustee_town import a_vote, tallied

from voting.ballots.ballot import read_ballot, write_ballot
from voting.ballots.credential import credentials_digest
from voting.ballots.election import Question
from voting.ballots.group import BASE
from voting.ballots.proofs import Proof
from voting.trustees.dealer import deal_all
from voting.verify import format as form
from voting.verify.verify import verify

ARCHIVE = form.archive_name(UUID)
Files = dict[str, bytes]


def texts(name: str, **changes: Any) -> Callable[[Files], None]:
    """Change a JSON file."""

    def act(files: Files) -> None:
        value = json.loads(files[name])
        value.update(changes)
        files[name] = form.readable(value)

    return act


def lines(name: str, act: Callable[[list[bytes]], None]) -> Callable[[Files], None]:
    """Change the lines of a file."""

    def edit(files: Files) -> None:
        found = files[name].splitlines(keepends=True)
        act(found)
        files[name] = b"".join(found)

    return edit


def insist(problem: Any, file: str, line: int | None, what: str) -> None:
    """Insist on what was found."""
    assert (problem.file, what in problem.what) == (file, True), problem
    assert line is None or problem.line == line, problem


# ---- poll, paper, election, trustees


def paper(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Change the paper."""
    return lambda value: {**value, **changes}


def asked(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Change the question on the paper."""
    return lambda value: {**value, "questions": [{**value["questions"][0], **changes}]}


BOTH = {"en": "x", "cy": "x"}
PAPER: dict[str, tuple[Made, str, str]] = {
    "another poll": (Made(edit_files=texts(form.POLL, eligible=99)), form.POLL, "should be"),
    "a title that is no text": (
        Made(edit_entries=body("poll_initialised", title=3)),
        form.POLL,
        '"title" is not a text',
    ),
    "questions that are no list": (
        Made(edit_entries=body("poll_initialised", questions=1)),
        form.POLL,
        '"questions" is not a list',
    ),
    "languages without end": (
        Made(edit_entries=body("poll_initialised", languages=[f"x{number}" for number in range(17)])),
        form.POLL,
        '"languages" are more than 16',
    ),
    "a time zone that nobody knows": (
        Made(edit_entries=body("poll_initialised", timezone="Mars/Olympus")),
        form.POLL,
        '"opens_at" is no time in its "timezone"',
    ),
    "another paper than at the opening": (
        Made(edit_entries=body("poll_opened", paper="00" * 32)),
        form.PAPER,
        "is not the paper that the chain bound",
    ),
    "no languages": (Made(edit_paper=paper(languages=[])), form.PAPER, '"languages" are not those of the poll'),
    "other languages": (Made(edit_paper=paper(languages=["cy", "en"])), form.PAPER, '"languages" are not those'),
    "a paper of another poll": (Made(edit_paper=paper(uuid="Another1Another")), form.PAPER, '"uuid" is not that'),
    "another rule": (Made(edit_paper=paper(rule={"en": "Vote twice."})), form.PAPER, '"rule" is not that of the poll'),
    "another opening": (Made(edit_paper=paper(opens_at=1)), form.PAPER, '"opens_at" is not that'),
    "another closing": (Made(edit_paper=paper(closes_at=1)), form.PAPER, '"closes_at" is not that'),
    "another kind of key": (Made(edit_paper=paper(key="ceremony")), form.PAPER, '"key" is not that'),
    "a title in one language": (Made(edit_paper=paper(title={"en": "Leader"})), form.PAPER, "is not there in every"),
    "no title": (Made(edit_paper=paper(title=None)), form.PAPER, '"title" is not there in every language'),
    "an empty title": (Made(edit_paper=paper(title={"en": "", "cy": "x"})), form.PAPER, "is not a text in every"),
    "another title": (Made(edit_paper=paper(title=BOTH)), form.PAPER, "does not ask what the election"),
    "another question": (Made(edit_paper=asked(question=BOTH)), form.PAPER, "does not ask what the election"),
    "options in another order": (
        Made(edit_paper=asked(options=[{"en": "South", "cy": "S"}, {"en": "North", "cy": "N"}])),
        form.PAPER,
        "does not ask what the election",
    ),
    "two options at once": (Made(edit_paper=asked(most=2)), form.PAPER, "does not ask what the election"),
    "none at all": (Made(edit_paper=asked(least=0)), form.PAPER, "does not ask what the election"),
    "blank votes": (Made(edit_paper=asked(blank=True)), form.PAPER, "does not ask what the election"),
    "a number that is true": (Made(edit_paper=asked(least=True)), form.PAPER, "does not say how many options"),
    "a most that is none": (Made(edit_paper=asked(most="1")), form.PAPER, "does not say how many options"),
    "a blank that is none": (Made(edit_paper=asked(blank=0)), form.PAPER, "does not say how many options"),
    "an order that is none": (Made(edit_paper=asked(order="any")), form.PAPER, '"questions[0].order" is none'),
    "no seat": (Made(edit_paper=asked(seats=0)), form.PAPER, '"questions[0].seats" is not a number'),
    "more seats than options": (Made(edit_paper=asked(seats=3)), form.PAPER, '"questions[0].seats" is not a number'),
    "seats that are true": (Made(edit_paper=asked(seats=True)), form.PAPER, '"questions[0].seats" is not a number'),
    "a question that is none": (Made(edit_paper=paper(questions=[3])), form.PAPER, "is not a question"),
    "options that are none": (Made(edit_paper=asked(options={})), form.PAPER, "is not a question"),
    "an election that asks something else": (
        Made(edit_election=lambda facts: {**facts, "questions": [Question("Why?", ("North", "South"), 1, 1)]}),
        form.PAPER,
        "does not ask what the election",
    ),
    "an election of another paper": (
        Made(edit_election=lambda facts: {**facts, "description": "ballotline paper 1 " + "00" * 32}),
        ARCHIVE,
        "has another election than this poll's: description belongs to another election",
    ),
    "an election with another key": (
        Made(edit_election=lambda facts: {**facts, "key": BASE}),
        ARCHIVE,
        "its key is not the election's",
    ),
    "an election with another uuid": (
        Made(edit_election=lambda facts: {**facts, "uuid": "Another1Another"}),
        form.CHAIN,
        "does not ask what the election",
    ),
    "a poll with another question": (
        Made(edit_entries=body("poll_initialised", questions=[{**Made().questions[0], "question": BOTH}])),
        form.CHAIN,
        "does not ask what the paper asks",
    ),
    "a poll with other options": (
        Made(edit_entries=body("poll_initialised", questions=[{**Made().questions[0], "options": []}])),
        form.CHAIN,
        "does not ask what the paper asks",
    ),
    "a poll with other seats": (
        Made(edit_entries=body("poll_initialised", questions=[{**Made().questions[0], "seats": 1}])),
        form.CHAIN,
        "does not ask what the paper asks",
    ),
    "a poll whose numbers are true": (
        Made(edit_entries=body("poll_initialised", questions=[{**Made().questions[0], "least": True}])),
        form.CHAIN,
        "does not ask what the paper asks",
    ),
    "another election bound": (
        Made(edit_entries=body("poll_opened", election="x")),
        ARCHIVE,
        "has another election than the chain bound",
    ),
    "other trustees bound": (
        Made(edit_entries=body("poll_opened", trustees="00" * 32)),
        ARCHIVE,
        "has other trustees than the chain bound",
    ),
    "another fingerprint": (
        Made(edit_entries=body("poll_opened", fingerprint="2222-2222-2222-2222")),
        form.CHAIN,
        "has another fingerprint than this election",
    ),
    "trustees that nobody named": (
        Made(edit_entries=both(without("trustees_set"), body("poll_initialised", kind="dealer"))),
        form.CHAIN,
        "whose trustees nobody had named",
    ),
    "a threshold that is not theirs": (
        Made(edit_entries=body("trustees_set", threshold=3)),
        form.CHAIN,
        '"threshold" is not what the trustees have published',
    ),
    "a number that is not theirs": (
        Made(edit_entries=body("trustees_set", trustees=4)),
        form.CHAIN,
        '"trustees" is not',
    ),
    "trustees of another file": (
        Made(edit_entries=body("trustees_set", trustees_sha256="00" * 32)),
        form.CHAIN,
        '"trustees_sha256" is not',
    ),
    "a key that is not theirs": (Made(edit_entries=body("trustees_set", key="00")), form.CHAIN, '"key" is not'),
    "a kind that nobody knows": (
        Made(kind="machine"),
        form.CHAIN,
        '"kind" is neither dealer nor ceremony',
    ),
    "a ceremony without a trustee's yes": (
        Made(kind="ceremony", edit_entries=without("trustee_agreed", 1)),
        form.CHAIN,
        "opens the poll without the yes of trustee 2",
    ),
    "a yes to another election": (
        Made(
            kind="ceremony",
            edit_entries=body("trustee_agreed", 2, yes=Made(kind="ceremony", options=("A", "B")).yes(3)),
        ),
        form.CHAIN,
        "opens the poll without the yes of trustee 3",
    ),
    "a yes that is none": (
        Made(kind="ceremony", edit_entries=body("trustee_agreed", yes="\N{SNOWMAN}")),
        form.CHAIN,
        "without the yes of trustee 1",
    ),
}


@pytest.mark.parametrize("case", PAPER)
def test_a_forged_poll_is_found(tmp_path: Path, case: str) -> None:
    made, file, what = PAPER[case]

    insist(forged(tmp_path, made), file, None, what)


def test_a_paper_that_is_written_otherwise_is_found(tmp_path: Path) -> None:
    """Two spellings of one paper: the one that voters saw might be another."""
    loose = json.dumps(json.loads(Made().paper)).encode()
    made = Made(edit_election=lambda facts: {**facts, "description": f"ballotline paper 1 {sha256(loose)}"})
    made.paper = loose

    insist(forged(tmp_path, made), form.PAPER, 1, "should be")


def test_the_trustees_of_another_key_are_found(tmp_path: Path) -> None:
    others = deal_all(3, 2)
    made = Made(edit_election=lambda facts: {**facts, "key": others.trustees.election_key})

    insist(forged(tmp_path, made), ARCHIVE, None, "its key is not the election's")


# ---- credentials

ISSUED = number_of("packs_issued")
REPLACED = number_of("pack_replaced")
FEWER = tuple(range(1, 12))  # without 12


def credential_line(number: int, new: bytes) -> Callable[[Files], None]:
    """Exchange a line of credentials.txt."""
    return lines(form.CREDENTIALS, lambda found: found.__setitem__(number, new))


CREDENTIALS: dict[str, tuple[Made, str, str]] = {
    "no credential": (Made(edit_files=credential_line(0, b"hello\n")), form.CREDENTIALS, "is not a credential"),
    "an entry with a zero before it": (
        Made(edit_files=lines(form.CREDENTIALS, lambda found: found.__setitem__(0, found[0].replace(b" ", b" 0", 1)))),
        form.CREDENTIALS,
        "is not a credential with its entries",
    ),
    "two in another order": (
        Made(edit_files=lines(form.CREDENTIALS, lambda found: found.reverse())),
        form.CREDENTIALS,
        "is not in order",
    ),
    "one twice": (
        Made(edit_files=lines(form.CREDENTIALS, lambda found: found.insert(0, found[0]))),
        form.CREDENTIALS,
        "stands there twice",
    ),
    "one dropped": (
        Made(edit_files=lines(form.CREDENTIALS, lambda found: found.pop(0))),
        form.CREDENTIALS,
        "does not have the credentials that entry",
    ),
    "one made up": (
        Made(edit_files=lines(form.CREDENTIALS, lambda found: found.append(b"ff" * 32 + b" %d -\n" % ISSUED))),
        form.CREDENTIALS,
        f"does not have the credentials that entry {ISSUED} issued",
    ),
    "one of an entry that issued none": (
        Made(edit_files=lines(form.CREDENTIALS, lambda found: found.append(b"ff" * 32 + b" 1 -\n"))),
        form.CREDENTIALS,
        "names entry 1, which issued no pack",
    ),
    "one exchanged": (
        Made(edit_entries=body("packs_issued", credentials=_issue([*FEWER, 99])["credentials"])),
        form.CREDENTIALS,
        f"does not have the credentials that entry {ISSUED} issued",
    ),
    "more packs than credentials": (
        Made(edit_entries=body("packs_issued", packs=13)),
        form.CREDENTIALS,
        f"does not have the credentials that entry {ISSUED} issued",
    ),
    "none of an entry": (
        Made(
            edit_entries=after("poll_opened", {**entry("packs_issued"), "body": {"packs": 1, "credentials": "00" * 32}})
        ),
        form.CREDENTIALS,
        "does not have the credentials that entry",
    ),
    "a digest that is none": (
        Made(edit_entries=body("packs_issued", credentials="x")),
        form.CHAIN,
        '"credentials" is not',
    ),
    "one voided in secret": (
        Made(edit_entries=body("pack_replaced", voided=None)),
        form.CHAIN,
        '"voided" is not a list',
    ),
    "one said to be void that is not": (
        Made(
            edit_files=lines(
                form.CREDENTIALS, lambda found: found.__setitem__(0, found[0].replace(b" -", b" %d" % REPLACED))
            )
        ),
        form.CREDENTIALS,
        "is not voided by the entry that the chain has for it",
    ),
    "one said to work that is void": (
        Made(
            edit_files=lines(
                form.CREDENTIALS,
                lambda found: found.__setitem__(slice(None), [b"%s -\n" % line.rpartition(b" ")[0] for line in found]),
            )
        ),
        form.CREDENTIALS,
        "is not voided by the entry that the chain has for it",
    ),
    "one void before it is issued": (
        Made(
            edit_entries=body("pack_replaced", voided=[written(14)]),
            edit_files=lines(
                form.CREDENTIALS,
                lambda found: found.__setitem__(
                    slice(None),
                    [
                        line.replace(b" -", b" %d" % REPLACED) if line.startswith(written(14).encode()) else line
                        for line in found
                    ],
                ),
            ),
        ),
        form.CREDENTIALS,
        "is void before it is issued",
    ),
    "another list closed": (
        Made(edit_entries=body("ballots_closed", credentials="00" * 32)),
        form.CREDENTIALS,
        "is not the list that the chain closed",
    ),
    "one voided that nobody had": (
        Made(
            edit_entries=body("pack_replaced", voided=["ff" * 32]),
            edit_files=lines(form.CREDENTIALS, lambda found: found.pop()),
        ),
        form.CREDENTIALS,
        "does not have a credential that the chain voids",
    ),
}


@pytest.mark.parametrize("case", CREDENTIALS)
def test_forged_credentials_are_found(tmp_path: Path, case: str) -> None:
    made, file, what = CREDENTIALS[case]

    insist(forged(tmp_path, made), file, None, what)


def test_there_are_so_many_credentials_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.verify.credentials.CREDENTIALS_MAX", 5)

    insist(forged(tmp_path, Made()), form.CREDENTIALS, 6, "is one more than the 5 that a poll may have")


# ---- ballots

Cast = list[tuple[int, bytes]]


def ballots(act: Callable[[Cast], None], *, sort: bool = True) -> Callable[[Cast], Cast]:
    """Change what is in the archive and on the chain, in the order in which both have it."""

    def edit(found: Cast) -> Cast:
        changed = list(found)
        act(changed)
        return sorted(changed, key=lambda one: (one[0], sha256(one[1]))) if sort else changed

    return edit


def exchanged(place: int, new: Callable[[bytes], bytes]) -> Callable[[Cast], Cast]:
    """Exchange a ballot."""
    return ballots(lambda found: found.__setitem__(place, (found[place][0], new(found[place][1]))))


def proofs_changed(raw: bytes) -> bytes:
    """The ballot with another response in its first proof."""
    ballot = read_ballot(raw)
    answer = ballot.answers[0]
    ((challenge, response), *rest), *others = answer.individual
    individual = ((Proof(challenge, response ^ 1), *rest), *others)
    return write_ballot(replace(ballot, answers=(replace(answer, individual=individual),)))


def signed_by_another(raw: bytes) -> bytes:
    """The ballot under a credential whose secret nobody used."""
    return write_ballot(replace(read_ballot(raw), credential=read_ballot(a_ballot(11)).credential))


def a_ballot(pack: int, option: int = 1) -> bytes:
    """Another good ballot of this election, by a pack's credential."""
    return write_ballot(vote_of(Made().election, pack, option))


def another_by(pack: int) -> bytes:
    """A second, different ballot by a pack's credential."""
    return write_ballot(a_vote(Made().election, secret_of(pack), 1))


def of_another_election(_raw: bytes) -> bytes:
    """A good ballot of another election."""
    return write_ballot(vote_of(Made(options=("A", "B")).election, 11, 1))


def nothing(_raw: bytes) -> bytes:
    """No ballot."""
    return b"{}"


BALLOTS: dict[str, tuple[Made, str]] = {
    "a vote stuffed by a credential made up": (
        Made(edit_ballots=ballots(lambda found: found.append((1, a_ballot(77))))),
        "no pack has its credential",
    ),
    "a vote exchanged by a credential made up": (
        Made(edit_ballots=exchanged(0, lambda _raw: a_ballot(77))),
        "no pack has its credential",
    ),
    "a second vote by a credential": (
        Made(edit_ballots=ballots(lambda found: found.append((1, another_by(1))))),
        "its credential has another ballot",
    ),
    "a vote by a credential that was void": (
        Made(edit_ballots=ballots(lambda found: found.append((1, a_ballot(12))))),
        "its credential was void by then",
    ),
    "a vote before its credential was issued": (
        Made(voters=(14, 1, 2, 3, 4, 5, 6, 7)),
        "its credential was issued only after it",
    ),
    "a proof changed": (Made(edit_ballots=exchanged(2, proofs_changed)), "does not prove"),
    "a credential exchanged": (Made(edit_ballots=exchanged(2, signed_by_another)), "does not prove"),
    "a ballot of another election": (Made(edit_ballots=exchanged(2, of_another_election)), "another election"),
    "no ballot": (Made(edit_ballots=exchanged(2, nothing)), "exactly the fields"),
}


@pytest.mark.parametrize("case", BALLOTS)
def test_a_ballot_that_cannot_be_counted_is_found(tmp_path: Path, case: str) -> None:
    made, what = BALLOTS[case]

    problem = forged(tmp_path, made)

    insist(problem, ARCHIVE, None, what)
    assert problem.what.startswith("is not to be counted: ")
    assert problem.member is not None
    assert problem.byte is not None


def test_a_credential_that_voted_may_be_voided_later(tmp_path: Path) -> None:
    """The pack of a vote is not replaced, but a vote stands whatever comes after it."""
    made = Made(replaced=(1, 13))

    assert verify(made.write(tmp_path / "bundle")).problems == ()


def test_two_ballots_with_one_mark_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.verify.cast.mark_of", lambda _digest: "2222-2222-2222-2222")

    insist(forged(tmp_path, Made()), ARCHIVE, None, "its mark 2222-2222-2222-2222 is another ballot's too")


def test_there_are_so_many_ballots_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.verify.cast.BALLOTS_MAX", 5)

    insist(forged(tmp_path, Made()), ARCHIVE, None, "is one more than the 5 ballots")


@pytest.mark.parametrize(("name", "value"), [("cast.BALLOT_BYTES_MAX", 1_000), ("archive.KEPT_BYTES_MAX", 1_000)])
def test_a_ballot_has_so_many_bytes_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: int
) -> None:
    monkeypatch.setattr(f"voting.verify.{name}", value)

    what = "is longer than"
    insist(forged(tmp_path, Made()), ARCHIVE, None, what)


# ---- the archive

Events = list[tuple[str, list[bytes]]]


def events(act: Callable[[Events], None]) -> Callable[[Events], None]:
    """Change the archive's events only: the chain knows nothing of it."""
    return act


def _place(found: Events, kind: str) -> int:
    return next(place for place, event in enumerate(found) if event[0] == kind)


def data(kind: str, number: int, new: Callable[[bytes], bytes]) -> Callable[[Events], None]:
    """Exchange a piece of an event's data."""

    def act(found: Events) -> None:
        pieces = found[_place(found, kind)][1]
        pieces[number] = new(pieces[number])

    return act


def setup(name: str, new: Callable[[bytes], bytes]) -> Callable[[Events], None]:
    """Exchange a piece that Setup names, and its name."""

    def act(found: Events) -> None:
        pieces = found[0][1]
        place = ("election", "trustees", "credentials").index(name)
        pieces[place] = new(pieces[place])
        pieces[3] = compact(dict(zip(("election", "trustees", "credentials"), map(sha256, pieces), strict=False)))

    return act


def one_less(raw: bytes) -> bytes:
    """The list without its first."""
    return compact(json.loads(raw)[1:])


MEMBERS: dict[str, tuple[Any, str]] = {
    "a ballot dropped": (lambda found: found.pop(1), "is not the ballot that is due: entry 10 of the chain names"),
    "the last ballot dropped": (lambda found: found.pop(8), "ends here without the ballot"),
    "two ballots swapped": (lambda found: found.insert(1, found.pop(2)), "is not the ballot that is due"),
    "a ballot exchanged": (
        lambda found: found.__setitem__(3, ("Ballot", [a_ballot(11)])),
        "is not the ballot that is due",
    ),
    "a ballot more": (
        lambda found: found.insert(9, ("Ballot", [a_ballot(11)])),
        "is not the ballot that is due: the chain names no more",
    ),
    "a credential less": (setup("credentials", one_less), "is not the list of credentials that could vote"),
    "credentials in another order": (
        setup("credentials", lambda raw: compact(json.loads(raw)[::-1])),
        "is not the list of credentials that could vote",
    ),
    "the voided one on the list": (
        setup("credentials", lambda raw: compact(sorted([*json.loads(raw), written(12)]))),
        "is not the list of credentials that could vote",
    ),
    "other trustees": (setup("trustees", lambda _raw: b"[]"), "has another election than this poll's"),
    "another election": (setup("election", lambda _raw: b"{}"), "has another election than this poll's"),
    "another payload": (data("Setup", 3, lambda _raw: b"{}"), "is not the payload of Setup that must stand here"),
    "no end of the ballots": (lambda found: found.pop(9), "is not the event Ballot that must stand here"),
    "another kind of event": (
        lambda found: found.__setitem__(9, ("EndVotes", [])),
        "is not the event EndBallots that must stand here",
    ),
    "another sum": (data("EncryptedTally", 0, one_less), "is not the sum of these ballots that must stand here"),
    "another number": (
        data("EncryptedTally", 1, lambda raw: raw.replace(b"8", b"9", 1)),
        "is not the payload of EncryptedTally",
    ),
    "no sum": (lambda found: found.__delitem__(slice(10, None)), "ends here without the sum of these ballots"),
    "another decryption": (
        data("PartialDecryption", 0, lambda _raw: b"{}"),
        "is not trustee 1's decryption that must stand here",
    ),
    "another owner": (
        data("PartialDecryption", 1, lambda raw: raw.replace(b"1", b"2", 1)),
        "is not the payload of PartialDecryption",
    ),
    "a decryption dropped": (lambda found: found.pop(11), "is not trustee 1's decryption"),
    "another result": (data("Result", 0, lambda _raw: b"{}"), "is not the result of these decryptions"),
    "no result": (lambda found: found.pop(), "ends here without the result of these decryptions"),
    "something after the result": (lambda found: found.append(("EndBallots", [])), "should not be there"),
}


@pytest.mark.parametrize("case", MEMBERS)
def test_an_archive_that_is_not_the_chains_is_found(tmp_path: Path, case: str) -> None:
    act, what = MEMBERS[case]

    problem = forged(tmp_path, Made(edit_members=lambda found: act(found) and None))

    insist(problem, ARCHIVE, None, what)


def test_decryptions_come_only_after_the_tally(tmp_path: Path) -> None:
    def more(found: Events) -> None:
        found.append(("PartialDecryption", [b"{}"]))

    insist(forged(tmp_path, Made(stage=form.TALLIED, edit_members=more)), ARCHIVE, None, "should not be there")


ARCHIVES: dict[str, tuple[Callable[[bytes], bytes], str, int | None]] = {
    "closing blocks": (lambda whole: whole + bytes(1024), "does not begin with a header", None),
    "half a header": (lambda whole: whole + bytes(100), "does not begin with a header", None),
    "cut short": (lambda whole: whole[:-600], "does not begin with a header", None),
    "cut in a content": (lambda whole: whole[: 512 * 2 + 512 + 100], "ends before its content does", 512 * 3 + 100),
    "cut in the padding": (lambda whole: whole[: 512 + 100], "is not filled up with zeros", None),
    "nothing": (lambda _whole: b"", "ends here without the archive's first member", 0),
    "another time": (
        lambda whole: whole.replace(b"%011o" % SECONDS, b"%011o" % (SECONDS + 1)),
        "has another header than it must have",
        146,
    ),
    "something in the padding": (
        lambda whole: whole[:1000] + b"x" + whole[1001:],
        "is not filled up with zeros",
        1000,
    ),
    "another content than it is called by": (
        lambda whole: whole[:1600] + b"\0" + whole[1601:],
        "is not what its name is the SHA-256 of",
        1536,
    ),
    "another name for the first": (
        lambda whole: renamed(whole, b"BELENIOS", b"VOTESHOP"),
        "has a name that no member has",
        0,
    ),
    "a name that none has": (
        lambda whole: renamed(whole, b".data.json", b".data.jsoN"),
        "has a name that no member has",
        1024,
    ),
    "data called an event": (
        lambda whole: renamed(whole, b".data.json", b".event.json", cut=1),
        "should be the election",
        None,
    ),
    "a size that is no number": (
        lambda whole: whole[:124] + b"9" + whole[125:],
        "does not begin with a header of the archive",
        0,
    ),
}


def renamed(whole: bytes, old: bytes, new: bytes, *, cut: int = 0) -> bytes:
    """The archive with another name of its first member that is called so, and the checksum that fits."""
    at = whole.index(old)
    start = at // 512 * 512
    header = bytearray(whole[start : start + 512])
    place = at - start
    header[place : place + len(new)] = new
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return whole[:start] + bytes(header) + whole[start + 512 :]


@pytest.mark.parametrize("case", ARCHIVES)
def test_an_archive_of_other_bytes_is_found(tmp_path: Path, case: str) -> None:
    act, what, byte = ARCHIVES[case]

    problem = forged(tmp_path, Made(edit_archive=act))

    insist(problem, ARCHIVE, None, what)
    assert byte is None or problem.byte == byte, problem


def test_an_election_is_not_longer_than_it_can_be(tmp_path: Path) -> None:
    long = b'["' + b"x" * (2 << 20) + b'"]'

    problem = forged(tmp_path, Made(edit_members=setup("election", lambda _raw: long)))

    insist(problem, ARCHIVE, None, "is longer than an election can be")


def test_a_content_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.verify.archive.PIECE_BYTES", 100)

    assert verify(Made().write(tmp_path / "bundle")).ok


# ---- the tally, decryptions, papers, the result


def false_tally(_raw: bytes) -> bytes:
    """The sum of seven of the eight ballots."""
    return tallied(Made().election, Made().made[1:])


def decided(act: Callable[[list[bytes]], list[bytes]]) -> Made:
    """Other decryptions on the chain and beside the archive."""
    return Made(edit_decryptions=act)


def second_proof_changed(found: list[bytes]) -> list[bytes]:
    """The second proof of the first factor with another response."""
    value = json.loads(found[0])
    proof = value["second_proofs"][0][0]
    proof["response"] = str(int(proof["response"]) ^ 1)
    return [compact(value), *found[1:]]


def first_proof_changed(found: list[bytes]) -> list[bytes]:
    """Belenios's proof of the first factor with another response."""
    value = json.loads(found[0])
    proof = value["decryption"]["decryption_proofs"][0][0]
    proof["response"] = str(int(proof["response"]) ^ 1)
    return [compact(value), *found[1:]]


def of_another_tally(_found: list[bytes]) -> list[bytes]:
    """Good decryptions of other ballots."""
    return Made(votes=(1,) * 8).decryptions


COUNTED: dict[str, tuple[Made, str, str]] = {
    "another sum closed": (
        Made(edit_entries=body("ballots_closed", tally="00" * 32)),
        form.CHAIN,
        "does not close these 8 ballots and their sum",
    ),
    "another number closed": (Made(edit_entries=body("ballots_closed", n=9)), form.CHAIN, "does not close these 8"),
    "one ballot left out of the sum": (Made(edit_tally=false_tally), ARCHIVE, "is not the sum of these ballots"),
    "a decryption too few": (Made(deciders=(1,)), form.DECRYPTIONS, "1 of the 2 decryptions needed were given"),
    "a decryption too many": (Made(deciders=(1, 2, 3)), form.DECRYPTIONS, "has more than are needed"),
    "in another order": (Made(deciders=(3, 1)), form.DECRYPTIONS, "or not in the order of the trustees"),
    "one trustee twice": (decided(lambda found: [found[0], found[0]]), form.DECRYPTIONS, "1 of the 2 decryptions"),
    "without the second proof": (decided(second_proof_changed), form.DECRYPTIONS, "second_proofs[0][0] does not prove"),
    "without the first proof": (decided(first_proof_changed), form.DECRYPTIONS, "decryption_proofs[0][0] does not"),
    "of another tally": (decided(of_another_tally), form.DECRYPTIONS, "belongs to another tally of this election"),
    "of nothing": (decided(lambda _found: [b"{}", b"{}"]), form.DECRYPTIONS, "line 1 is damaged"),
    "seventeen": (decided(lambda found: found * 9), form.DECRYPTIONS, "is of more trustees than there can be"),
    "another digest of them": (
        Made(edit_entries=body("counted", decryptions="00" * 32)),
        form.DECRYPTIONS,
        "is not what the chain has counted with",
    ),
    "another digest of the result": (
        Made(edit_entries=body("counted", result="00" * 32)),
        form.RESULT,
        "is not the result on the chain",
    ),
    "more votes in the result": (Made(edit_files=texts(form.RESULT, votes=999)), form.RESULT, "should be"),
    "a remark in the result": (Made(edit_files=texts(form.RESULT, note="!")), form.RESULT, "should be"),
    "no later credentials": (
        Made(edit_files=texts(form.RESULT, ballots_by_later_credentials=0)),
        form.RESULT,
        "should be '\"ballots_by_later_credentials\": 1,'",
    ),
    "another page": (
        Made(edit_files=lambda files: files.update({form.PAGE: files[form.PAGE].replace(b">South<", b">North<")})),
        form.PAGE,
        "should be",
    ),
    "a page with a script": (
        Made(edit_files=lambda files: files.update({form.PAGE: files[form.PAGE] + b"<script></script>\n"})),
        form.PAGE,
        "should not be there",
    ),
    "a page without its end": (
        Made(edit_files=lambda files: files.update({form.PAGE: files[form.PAGE].replace(b"</html>\n", b"")})),
        form.PAGE,
        "is missing; it should be '</html>'",
    ),
    "more papers received": (Made(edit_files=texts(form.POSTAL, received=4)), form.POSTAL, "should be"),
    "other votes by post": (Made(edit_files=texts(form.POSTAL, votes=[[0, 3]])), form.POSTAL, "should be"),
    "papers of other options": (
        Made(edit_entries=body("postal_counted", votes=[["Who?", "South", 1], ["Who?", "North", 2]])),
        form.CHAIN,
        "does not name the poll's questions and options in their order",
    ),
    "papers of nobody knows what": (
        Made(edit_entries=body("postal_counted", votes=[3])),
        form.CHAIN,
        '"votes" is not a list of questions and options',
    ),
    "papers that are no numbers": (
        Made(
            edit_entries=body("postal_counted", votes=[["Who?", "North", "2"], ["Who?", "South", 1]]),
            edit_files=texts(form.POSTAL, votes=[["2", 1]]),
        ),
        form.CHAIN,
        '"votes" is not a whole number',
    ),
    "fewer papers than none": (Made(papers=(4, -1)), form.POSTAL, "counts fewer papers than none"),
    "papers that differ and nobody says why": (
        Made(papers=(3, 1)),
        form.POSTAL,
        "counts 4 papers of 3 received, and does not say why",
    ),
    "papers that differ and nothing is said": (
        Made(papers=(3, 1), justification="  "),
        form.POSTAL,
        "does not say why",
    ),
    "a justification that is no text": (
        Made(edit_entries=body("postal_counted", justification=3), edit_files=texts(form.POSTAL, justification=3)),
        form.POSTAL,
        '"justification" is not a text',
    ),
    "papers taken back below none": (Made(received=-1, papers=(0, 0)), form.POSTAL, '"received" is below 0'),
    "more eligible than members": (
        Made(edit_entries=body("roll_closed", members=17)),
        form.CHAIN,
        "counts 18 members who could vote of 17",
    ),
    "more packs than members": (Made(members=12, eligible=12), form.CHAIN, "who have 13 working packs"),
    "more votes than members": (Made(eligible=11, rejected=1), form.CHAIN, "counts 11 members who could vote"),
    "more papers than packs": (Made(received=6, papers=(4, 2), eligible=20), form.CHAIN, "and 15 have voted"),
    "more votes counted than members": (
        Made(papers=(9, 9), justification="found in a drawer"),
        form.CHAIN,
        "counts 18 members who could vote, and there are 26 votes",
    ),
}


@pytest.mark.parametrize("case", COUNTED)
def test_a_forged_count_is_found(tmp_path: Path, case: str) -> None:
    made, file, what = COUNTED[case]

    problems = verify(made.write(tmp_path / "bundle")).problems

    assert problems
    insist(problems[0], file, None, what)


def test_a_poll_whose_papers_nobody_counted_has_none(tmp_path: Path) -> None:
    made = Made(edit_entries=without("postal_counted"), received=0, papers=(0, 0))

    assert verify(made.write(tmp_path / "bundle")).problems == ()


# ---- who did what

PEOPLE: dict[str, tuple[Any, int | None, str]] = {
    "one person alone": (
        words("pack_replacement_approved", actor="Gwen (command line)"),
        None,
        "approves a new pack that nobody else has asked for",
    ),
    "one person in other letters": (
        words("pack_replacement_approved", actor="G W\N{FULLWIDTH LATIN SMALL LETTER E}N (command line)"),
        None,
        "approves a new pack that nobody else has asked for",
    ),
    "nobody who asked": (without("pack_replacement_asked"), None, "approves a new pack that nobody else has asked for"),
    "one asking for two approvals": (
        after("pack_replacement_approved", entry("pack_replacement_approved", "Ann (command line)")),
        None,
        "approves a new pack that nobody else has asked for",
    ),
    "nobody who approved": (
        without("pack_replacement_approved"),
        None,
        "replaces a pack, and no second person has approved it",
    ),
    "two packs for one approval": (
        after("packs_issued", {**entry("pack_replaced"), "body": {**_issue([]), "voided": []}}, number=1),
        None,
        "replaces a pack, and no second person has approved it",
    ),
    "the program": (words("pack_replacement_approved", actor="system"), None, "was not done by a person"),
    "somebody who came another way": (
        words("pack_replacement_approved", actor="Huw (telephone)"),
        None,
        "was not done by a person",
    ),
    "somebody whom nobody enrolled": (
        words("pack_replacement_approved", actor="Mallory (chat)"),
        None,
        "was done by somebody whom no entry had enrolled",
    ),
    "somebody who was removed": (
        after("roll_imported", entry("staff_removed", staff=2)),
        None,
        "was done by somebody whom no entry had enrolled",
    ),
    "somebody enrolled by a name that is none": (
        after("roll_imported", entry("staff_enrolled", staff=3, name=4)),
        None,
        '"name" is not a text',
    ),
    "two packs in one": (
        both(body("pack_replaced", packs=2, credentials=_issue([13, 15])["credentials"])),
        None,
        "does not replace one pack by one",
    ),
}


@pytest.mark.parametrize("case", PEOPLE)
def test_a_pack_that_was_not_replaced_by_two_people_is_found(tmp_path: Path, case: str) -> None:
    act, _, what = PEOPLE[case]
    replaced = (12, 13)
    made = Made(edit_entries=act, replaced=replaced)
    if case == "two packs in one":
        made = TwoInOne(edit_entries=act)

    insist(forged(tmp_path, made), form.CHAIN, None, what)


class TwoInOne(Made):
    """A bundle whose credentials.txt has two new packs for one that was replaced."""

    @property
    def credentials(self) -> dict[str, tuple[int, int | None]]:
        """With pack 15."""
        return dict(sorted({**super().credentials, written(15): (number_of("pack_replaced"), None)}.items()))

    def _closing(self) -> dict[str, Any]:
        packs = (*range(1, 16),)
        return {**super()._closing(), "credentials": credentials_digest(written(pack) for pack in packs)}


def test_so_many_people_act_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.verify.people.PEOPLE_MAX", 2)
    names = [entry("pack_replacement_asked", f"Asker {number} (command line)") for number in range(4)]

    insist(
        forged(tmp_path, Made(edit_entries=after("poll_opened", *names))), form.CHAIN, None, "is of more than 2 people"
    )


@pytest.mark.parametrize(
    "act",
    [
        words("pack_replacement_asked", actor=f"{'x' * 1_001} (command line)"),
        body("staff_enrolled", name="x" * 1_001),
    ],
)
def test_a_name_is_not_longer_than_names_are(tmp_path: Path, act: Any) -> None:
    insist(forged(tmp_path, Made(edit_entries=act)), form.CHAIN, None, "names somebody whose name is too long")


def test_so_many_people_are_enrolled_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.verify.people.PEOPLE_MAX", 1)

    insist(forged(tmp_path, Made()), form.CHAIN, 5, "enrols more than 1 people")


def test_two_who_ask_and_approve_for_each_other_are_two_people(tmp_path: Path) -> None:
    def act(found: Entries) -> None:
        place = found.index(entry_of(found, "pack_replacement_approved"))
        found[place:place] = [entry("pack_replacement_asked", "Huw (chat)")]
        after("pack_replaced", entry("pack_replacement_approved", "Gwen (chat)"))(found)

    assert verify(Made(edit_entries=act).write(tmp_path / "bundle")).problems == ()
