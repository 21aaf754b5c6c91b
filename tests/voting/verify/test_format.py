"""What verify repeats of the house: chain, signatures, table of entries; and that it stands alone."""

import subprocess
import sys
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prepared import NOW

from voting.audit import canonical, chain, phases
from voting.audit.signer import entry_message, head_message
from voting.poll import poll_file
from voting.verify import format as form
from voting.verify import spans
from voting.verify.result import percent

RETIRED = {"box_closed", "receipts_closed", "ballots_boxed", "election_key_set"}  # of the scheme before


def test_the_check_imports_nothing_of_ours_but_the_protocol() -> None:
    script = """if True:
        import sys, voting.verify.verify
        print(*(name for name in sys.modules if name.split(".")[0] in ("voting", "messages", "bot", "sqlalchemy")))
    """
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    ours = ran.stdout.split()

    assert {name for name in ours if not name.startswith(("voting.verify", "voting.ballots"))} == {"voting"}


def test_the_format_is_what_the_house_writes() -> None:
    """What verify repeats for itself is the same as what makes chain and heads."""
    body = {"n": 3, "b": ["é", None, True], "a": "Siân"}
    words = {"seq": 1, "at": NOW, "actor": "Gwen", "kind": "k", "body": body}
    micro = words | {"at": (NOW - form.EPOCH) // form.MICROSECOND}

    assert form.canonical(body) == canonical.canonical_json(body)
    assert form.entry_hash(micro, form.GENESIS) == chain.hash_of(**words, previous=chain.GENESIS)  # type: ignore[arg-type]
    assert form.head_message(3, b"x" * 32) == head_message(3, b"x" * 32)
    assert form.entry_message("p", 3, b"x" * 32, b"y" * 32) == entry_message("p", 3, b"x" * 32, b"y" * 32)


def test_a_poll_has_no_more_languages_than_verify_takes() -> None:
    assert poll_file.LANGUAGES_MAX == form.LANGUAGES_MAX


def test_the_tables_of_entries_agree() -> None:
    theirs = {kind: (str(ends), str(begins)) for kind, (ends, begins) in phases.TURNS.items()}
    ours = {kind: (str(ends), str(begins)) for kind, (ends, begins) in spans.TURNS.items()}

    assert {kind: turn for kind, turn in theirs.items() if kind not in RETIRED} == ours


@pytest.mark.parametrize("span", spans.Span)
def test_the_same_kinds_may_stand_in_every_span(span: spans.Span) -> None:
    theirs = {kind for kind, where in phases.ALLOWED.items() if str(span) in map(str, where)}
    ours = {kind for kind, where in spans.ALLOWED.items() if span in where}

    assert theirs - RETIRED == ours
    assert [str(one) for one in phases.Span] == [str(one) for one in spans.Span]


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_percentage_is_rounded_half_up(part: int, whole: int) -> None:
    due = "0.00"
    if whole:
        due = str((Decimal(100 * part) / Decimal(whole)).quantize(Decimal("0.01"), ROUND_HALF_UP))

    assert percent(part, whole) == due


@pytest.mark.parametrize(
    ("part", "due"),
    [
        pytest.param(141_725 + 654, "82.57", id="with rejected papers"),
        pytest.param(141_725, "82.19", id="without"),
        pytest.param(0, "0.00", id="nobody"),
        pytest.param(172_437, "100.00", id="everybody"),
    ],
)
def test_turnouts_of_the_case(part: int, due: str) -> None:
    assert percent(part, 172_437) == due
