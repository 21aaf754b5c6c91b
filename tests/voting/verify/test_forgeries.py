"""What an operator who holds the signing key, but no voter's credential and too few shares, could publish.

Everything derived is derived anew and signed, so each case is stopped by one rule alone: taken out, its test fails.
"""

from pathlib import Path
from typing import Any

import pytest
from made_bundle import (
    CLOSES,
    SECONDS,
    UUID,
    Made,
    _entry,
    _issue,
    entry_of,
    written,
)
from made_edits import after, body, both, entry, forged, number_of, without, words
from nacl.signing import SigningKey

from voting.verify import format as form
from voting.verify.verify import verify

ARCHIVE = form.archive_name(UUID)
OTHER = SigningKey(bytes(32))
# ---- the chain

HONEST = {kind: number_of(kind) for kind in {entry["kind"] for entry in Made().story}}
AN_ASK = entry("pack_replacement_asked", "Gwen (chat)")
AN_APPROVAL = entry("pack_replacement_approved", "Huw (chat)")
A_RESUMPTION = entry("head_resumed", lost_seq=3, lost_hash="ab" * 32, asked_by="Gwen", approved_by="Huw")
MISPLACED = {
    "options swapped after the opening": (after("poll_opened", entry("poll_changed", questions=[])), 10),
    "trustees set after the opening": (after("poll_opened", entry("trustees_set", kind="dealer")), 10),
    "a yes after the opening": (after("poll_opened", entry("trustee_agreed", trustee=1, yes="")), 10),
    "a second opening": (after("poll_opened", entry("poll_opened")), 10),
    "a second poll": (after("poll_opened", entry("poll_initialised", uuid=UUID)), 10),
    "a vote before the opening": (after("trustees_set", entry("votes_locked", n=0, ballots=[])), 8),
    "a vote after the close": (after("poll_closed", entry("votes_locked", n=0, ballots=[])), HONEST["poll_closed"] + 1),
    "a pack after the close": (after("poll_closed", _entry("packs_issued", "", _issue([]))), HONEST["poll_closed"] + 1),
    "a rule after the close": (after("poll_closed", entry("rule_changed")), HONEST["poll_closed"] + 1),
    "a roll after the close": (after("poll_closed", entry("roll_imported")), HONEST["poll_closed"] + 1),
    "papers before the opening": (after("trustees_set", entry("papers_imported")), 8),
    "papers during the count": (after("ballots_closed", entry("papers_imported")), HONEST["ballots_closed"] + 1),
    "papers counted while open": (after("poll_opened", entry("postal_counted")), 10),
    "papers counted during the count": (
        after("ballots_closed", entry("postal_counted")),
        HONEST["ballots_closed"] + 1,
    ),
    "ballots closed twice": (after("ballots_closed", entry("ballots_closed")), HONEST["ballots_closed"] + 1),
    "a kind that nobody writes": (after("poll_opened", entry("result_improved")), 10),
    "the poll made second": (lambda entries: entries.insert(0, entry("window_set")), 1),
}


@pytest.mark.parametrize("case", MISPLACED)
def test_an_entry_where_it_may_not_stand_is_found(tmp_path: Path, case: str) -> None:
    act, line = MISPLACED[case]

    problem = forged(tmp_path, Made(edit_entries=act))

    assert (problem.file, problem.line) == (form.CHAIN, line), problem
    assert problem.what.endswith("where it may not stand")


CHAIN: dict[str, tuple[Any, int | None, str]] = {
    "a hash made up": (words("poll_opened", hash="00" * 32), 9, "does not follow from the entries before it"),
    "a hash of another length": (words("poll_opened", hash="00"), 9, '"hash" is not 64 hexadecimal digits'),
    "signed by another key": (
        words("poll_opened", signature=OTHER.sign(b"").signature.hex()),
        9,
        "is not signed by this poll's signing key",
    ),
    "a number left out": (words("poll_opened", seq=12), 9, "should be entry 9"),
    "a field more": (words("poll_opened", note="!"), 9, "is not written as an entry of the chain is"),
    "a time below 0": (words("poll_opened", at=-1), 9, '"at" is below 0'),
    "an actor that is no text": (words("window_set", actor=3), 2, '"actor" is not a text'),
    "a kind that is no text": (words("window_set", kind=3), 2, '"kind" is not a text'),
    "a body that is no object": (words("window_set", body=[]), 2, '"body" is not an object'),
    "another uuid half-way": (
        after("poll_initialised", entry("poll_changed", uuid="Another1Another")),
        2,
        'changes the poll\'s "uuid"',
    ),
    "another signing key half-way": (
        after("poll_initialised", entry("poll_changed", signing_key="00" * 32)),
        2,
        'changes the poll\'s "signing_key"',
    ),
    "a rule that changes the options": (
        body("rule_changed", questions=[]),
        HONEST["rule_changed"],
        'changes "questions" of a poll that is open',
    ),
    "a roll that changes the title": (
        body("roll_closed", title="Another"),
        HONEST["roll_closed"],
        'changes "title" of a poll that is open',
    ),
    "more votes than ballots": (body("votes_locked", n=9), 10, 'not as many as "n"'),
    "no ballot at all": (body("votes_locked", ballots=["x"], n=1), 10, "not a list of SHA-256"),
    "ballots that are no texts": (body("votes_locked", ballots=[1], n=1), 10, "not a list of SHA-256"),
    "ballots in another order": (
        lambda entries: entry_of(entries, "votes_locked")["body"]["ballots"].reverse(),
        10,
        '"ballots" is not ascending',
    ),
    "a ballot twice in an entry": (
        body("votes_locked", ballots=["00" * 32, "00" * 32], n=2),
        10,
        '"ballots" is not ascending',
    ),
    "votes before the time": (
        words("votes_locked", at=SECONDS * 1_000_000 - 1),
        10,
        "is of votes outside the time for voting",
    ),
    "votes after the time": (
        words("votes_locked", at=int(CLOSES.timestamp()) * 1_000_000),
        10,
        "is of votes outside the time for voting",
    ),
    "a time without its zone": (
        both(body("poll_initialised", closes_at="2022-09-02T17:00"), body("poll_opened", closes_at="2022-09-02T17:00")),
        None,
        '"closes_at" is not a time with its zone',
    ),
    "no roll": (without("roll_closed"), None, 'comes without "roll_closed" before it'),
    "two rolls": (
        after("roll_closed", entry("roll_closed", members=99, eligible=99)),
        HONEST["roll_closed"] + 1,
        '"roll_closed" comes a second time',
    ),
    "no count": (without("counted"), None, 'the chain does not end with "counted"'),
    "something after the count": (after("counted", entry("console_opened")), None, "does not end with"),
    "no opening": (without("poll_opened"), 9, "where it may not stand"),
    "a credential voided that is none": (
        body("pack_replaced", voided=["xyz"]),
        HONEST["pack_replaced"],
        '"voided" is not a list of credentials',
    ),
    "a credential voided twice": (
        body("pack_replaced", voided=[written(12)] * 2),
        HONEST["pack_replaced"],
        "which is void already",
    ),
    "a head given up by one person": (
        after(
            "poll_opened",
            entry("head_resumed", **{**A_RESUMPTION["body"], "approved_by": "GW\N{LATIN SMALL LETTER E} n"}),
        ),
        10,
        "gives up a lost head by one person alone",
    ),
    "a head given up by nobody": (
        after("poll_opened", entry("head_resumed", **{**A_RESUMPTION["body"], "approved_by": None})),
        10,
        '"approved_by" is not a text',
    ),
    "more papers than can be": (
        body("papers_imported", n_received=2**63),
        HONEST["papers_imported"],
        "not a whole number",
    ),
}


@pytest.mark.parametrize("case", CHAIN)
def test_a_forged_chain_is_found(tmp_path: Path, case: str) -> None:
    act, line, what = CHAIN[case]

    problems = verify(Made(edit_entries=act).write(tmp_path / "bundle")).problems

    found = [problem for problem in problems if problem.file == form.CHAIN]
    assert found, problems
    assert line is None or found[0].line == line, problems
    assert what in found[0].what


def test_a_chain_of_nothing_is_found(tmp_path: Path) -> None:
    def edit(files: dict[str, bytes]) -> None:
        files[form.CHAIN] = b""

    problems = verify(Made(edit_files=edit).write(tmp_path / "bundle")).problems

    assert "does not end with" in " ".join(problem.what for problem in problems if problem.file == form.CHAIN)


def test_a_bundle_of_the_tally_ends_with_it(tmp_path: Path) -> None:
    made = Made(stage=form.TALLIED, edit_entries=after("ballots_closed", entry("console_opened")))

    assert 'does not end with "ballots_closed"' in forged(tmp_path, made).what


def test_a_chain_has_so_many_entries_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.verify.chain.ENTRIES_MAX", 5)

    assert "is one more than the 5 entries" in forged(tmp_path, Made()).what


def test_heads_that_were_given_up_are_read_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = verify(Made(edit_entries=after("poll_opened", A_RESUMPTION)).write(tmp_path / "bundle"))

    assert report.ok
    assert report.notes == (
        "Entry 10 of the chain gives up the head of entry 3, which is lost (" + "ab" * 32 + "): an older copy of the "
        "database was put back. Gwen asked for it and Huw approved. Votes may have been lost.",
    )
    monkeypatch.setattr("voting.verify.said.LOST_HEADS_MAX", 1)
    another = Made(edit_entries=after("poll_opened", A_RESUMPTION, A_RESUMPTION))
    assert forged(tmp_path, another).what == "gives up more than 1 heads"


# ---- heads

A_HEAD = '{"hash":"%s","seq":%d,"signature":"%s"}\n'
HEADS: dict[str, tuple[Any, int, str]] = {
    "no last head": (lambda heads: heads[:-1], 6, "the end of the chain is not signed"),
    "no head at all": (lambda _heads: [], 1, "the end of the chain is not signed"),
    "a head twice": (lambda heads: [heads[0], *heads], 2, "is not in the order of the chain"),
    "another chain's head": (lambda heads: [(4, "00" * 32), *heads[1:]], 1, "is not the hash of entry 4 of the chain"),
    "a head of a later entry": (
        lambda heads: [*heads, (999, "00" * 32)],
        7,
        "is of an entry that the chain does not have",
    ),
}


@pytest.mark.parametrize("case", HEADS)
def test_a_head_that_is_signed_and_not_the_chains_is_found(tmp_path: Path, case: str) -> None:
    act, line, what = HEADS[case]

    report = verify(Made(edit_heads=act).write(tmp_path / "bundle"))

    assert what in " ".join(problem.what for problem in report.problems)
    assert (form.HEADS, line) in {
        (problem.file, problem.line) for problem in report.problems
    } or case == "no head at all"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"{}", "is not written as a signed head is"),
        (b'{"hash":null,"seq":null,"signature":null}', '"seq" is not a whole number'),
        (b"[]", "is not a JSON object"),
        (b"{", "is not JSON"),
        (b'{"hash":"' + b"00" * 32 + b'","seq":1,"signature":"' + b"00" * 64 + b'"}', "is not signed by"),
        (b'{"hash":"' + b"00" * 32 + b'","seq":1}', "is not written as a signed head is"),
        (b'{"hash": 3}', "is not written as a signed head is"),
    ],
)
def test_a_line_that_is_no_head_is_found(tmp_path: Path, line: bytes, what: str) -> None:
    def edit(files: dict[str, bytes]) -> None:
        files[form.HEADS] = line + b"\n" + files[form.HEADS]

    problems = verify(Made(edit_files=edit).write(tmp_path / "bundle")).problems

    assert [(one.file, one.line) for one in problems if what in one.what] == [(form.HEADS, 1)]


# ---- more than fits into little memory


def test_a_poll_is_not_larger_than_its_file_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.verify.format.SMALL_BYTES_MAX", 3_000)
    made = Made(edit_entries=after("window_set", entry("poll_changed", note="x" * 3_000)))

    problems = verify(made.write(tmp_path / "bundle")).problems

    assert (form.CHAIN, 3, "makes the poll larger than poll.json may be") in {
        (one.file, one.line, one.what) for one in problems
    }


def test_so_many_entries_issue_credentials_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.verify.said.ISSUED_MAX", 1)

    assert "is one more than the 1 that issue or void credentials" in forged(tmp_path, Made()).what


def test_a_name_in_a_note_is_short_and_controls_nothing(tmp_path: Path) -> None:
    lost = entry("head_resumed", lost_seq=3, lost_hash="ab" * 32, asked_by="G\x1b[2J" + "w" * 99, approved_by="Huw")

    (note,) = verify(Made(edit_entries=after("poll_opened", lost)).write(tmp_path / "bundle")).notes

    assert f"G?[2J{'w' * 55} asked for it" in note
