"""Every kind of entry has its place on the chain, and no kind is written that has none."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voting.audit.phases import ALLOWED, KINDS, TURNS, OutOfPlace, Span, first_out_of_place

ROOT = Path(__file__).parents[3]
FLOORS = ("voting", "messages", "bot")
# Which argument of which call is the kind of an entry.
WRITERS = {"chain.append": 1, "append": 1, "chain.Act": 0, "Act": 0, "Source": 0}
OF_NOTICES = {"record": 1, "_change": 2}
HANDED_ON = {"kind", "source.entry"}  # an argument of the function that writes


@dataclass(frozen=True)
class Placed:
    seq: int
    kind: str


def chain_of(*kinds: str) -> list[Placed]:
    return [Placed(seq, kind) for seq, kind in enumerate(kinds, start=1)]


UP_TO = {
    Span.UNMADE: (),
    Span.BEFORE: ("poll_initialised",),
    Span.OPEN: ("poll_initialised", "poll_opened"),
    Span.CLOSED: ("poll_initialised", "poll_opened", "poll_closed"),
    Span.COUNTING: ("poll_initialised", "poll_opened", "poll_closed", "ballots_closed"),
    Span.COUNTED: ("poll_initialised", "poll_opened", "poll_closed", "ballots_closed", "counted"),
}


@pytest.mark.parametrize("span", list(Span), ids=str)
@pytest.mark.parametrize("kind", sorted(ALLOWED))
def test_a_kind_stands_where_the_table_says_and_nowhere_else(kind: str, span: Span) -> None:
    found = first_out_of_place(chain_of(*UP_TO[span], kind))

    assert found == (None if span in ALLOWED[kind] else OutOfPlace(len(UP_TO[span]) + 1, kind, span))


@pytest.mark.parametrize("span", list(Span), ids=str)
@pytest.mark.parametrize("kind", sorted(TURNS))
def test_a_turn_is_taken_from_one_place_only(kind: str, span: Span) -> None:
    found = first_out_of_place(chain_of(*UP_TO[span], kind))

    assert (found is None) == (TURNS[kind][0] is span)


# What must never be, whatever the table is changed to: BALLOTS, section 5.
PAPER = ("poll_changed", "trustees_set", "trustee_agreed", "poll_initialised", "poll_opened")
CREDENTIALS = ("packs_issued", "pack_replaced", "roll_imported", "eligibility_restored", "rule_changed")


@pytest.mark.parametrize("kind", PAPER)
@pytest.mark.parametrize("span", [Span.OPEN, Span.CLOSED, Span.COUNTING, Span.COUNTED], ids=str)
def test_nothing_of_the_paper_changes_once_the_poll_is_open(kind: str, span: Span) -> None:
    assert first_out_of_place(chain_of(*UP_TO[span], kind)) is not None


@pytest.mark.parametrize("kind", [*CREDENTIALS, "votes_locked"])
@pytest.mark.parametrize("span", [Span.CLOSED, Span.COUNTING, Span.COUNTED], ids=str)
def test_no_vote_and_nothing_to_vote_with_comes_after_the_close(kind: str, span: Span) -> None:
    assert first_out_of_place(chain_of(*UP_TO[span], kind)) is not None


@pytest.mark.parametrize("kind", ["papers_imported", "postal_counted", "ballots_closed", "attempt_recorded"])
@pytest.mark.parametrize("span", [Span.COUNTING, Span.COUNTED], ids=str)
def test_no_paper_comes_once_the_count_has_begun(kind: str, span: Span) -> None:
    assert first_out_of_place(chain_of(*UP_TO[span], kind)) is not None


def test_nothing_is_counted_twice_or_before_the_count() -> None:
    assert first_out_of_place(chain_of(*UP_TO[Span.COUNTED], "counted")) is not None
    assert first_out_of_place(chain_of(*UP_TO[Span.CLOSED], "counted")) is not None


def test_what_is_out_of_place_is_named() -> None:
    late = first_out_of_place(chain_of(*UP_TO[Span.CLOSED], "votes_locked", "roll_imported"))
    unknown = first_out_of_place(chain_of("poll_initialised", "made_up"))

    assert str(late) == 'entry 4 of the chain, "votes_locked", comes after the close'
    assert str(unknown) == 'entry 2 of the chain, "made_up", is of a kind that nobody writes'


@given(st.lists(st.sampled_from(sorted(KINDS)), max_size=40))
def test_a_poll_only_goes_forward(kinds: list[str]) -> None:
    """However long a chain in order is, each turn is on it at most once, and in order."""
    found = first_out_of_place(chain_of("poll_initialised", *kinds))
    good = ["poll_initialised", *kinds][: found.seq - 1 if found else None]
    turns = [kind for kind in good if kind in TURNS]

    assert turns == list(UP_TO[Span.COUNTED] if "ballots_closed" in turns else closed_by_box())[: len(turns)]


def closed_by_box() -> tuple[str, ...]:
    return tuple("box_closed" if kind == "ballots_closed" else kind for kind in UP_TO[Span.COUNTED])


# -- the code ------------------------------------------------------------------------------


def constants(trees: dict[Path, ast.Module]) -> dict[str, set[str]]:
    """Give the texts that a module names in capitals, by that name."""
    found: dict[str, set[str]] = {}
    for tree in trees.values():
        for node in tree.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                value = node.value
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found.setdefault(node.target.id, set()).add(value.value)
    return found


def written(call: ast.Call, path: Path) -> ast.expr | None:
    """Give what a call writes as the kind of an entry, None for a call that writes none."""
    place = (WRITERS | OF_NOTICES if path.parent.name == "notices" else WRITERS).get(ast.unparse(call.func))
    return None if place is None or len(call.args) <= place else call.args[place]


def kinds_written() -> tuple[set[str], set[str]]:
    """Give the kinds that the code writes, and the expressions that could not be followed."""
    paths = [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    named = constants(trees)
    kinds, unknown = set(), set()
    for path, tree in trees.items():
        for node in ast.walk(tree):
            kind = written(node, path) if isinstance(node, ast.Call) else None
            if kind is None:
                continue
            if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
                kinds.add(kind.value)
                continue
            name = ast.unparse(kind).rpartition(".")[2]
            if name in named:
                kinds |= named[name]
            elif ast.unparse(kind) not in HANDED_ON:
                unknown.add(ast.unparse(kind))
    return kinds, unknown


def test_every_kind_that_the_code_writes_is_in_the_table() -> None:
    kinds, unknown = kinds_written()

    assert len(kinds) > 40
    assert unknown == set()
    assert kinds - KINDS == set()
