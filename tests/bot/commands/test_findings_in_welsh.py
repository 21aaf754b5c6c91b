"""Every sentence of voting/verify is known again and said in Welsh; one without Welsh fails here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from english_left import english_left

import voting.ballots
import voting.verify
from bot.commands import spoken

PLACE = "X7"  # stands in every place of a sentence
# The page of the result has words of its own, and of a format nothing is said.
OTHERS = {"page.py", "page_words.py", "page_style.py", "format.py"}
# No sentences, or parts of one that is put together; how it is then, is tried below.
PARTS = {
    "the X7",
    "X7, X7 questionX7",
    "command line",
    "X7X7X7X7: X7",
    ", line X7",
    ", X7",
    ", byte X7",
    "X7 X7",
    "blank X7",
    "ElectedX7: X7.",
    ", for 1 seat",
    ", for X7 seats",
    "A tie: X7 have the same number of votes",
    "X7 for the last seats, and none of them is elected.",
}


def sources(package: str) -> list[Path]:
    return sorted(path for path in Path(package).parent.glob("*.py") if path.name not in OTHERS)


def template(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else PLACE for part in node.values)
    return None


def sentences(path: Path) -> Iterator[str]:
    """Give whatever is text in a module, but for what it says of itself, and names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    inner = {
        id(one) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values for one in ast.walk(part)
    }
    comments = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        found = None if id(node) in inner | comments else template(node)
        if found is not None and " " in found.strip() and not is_names(found):
            yield found


def is_names(text: str) -> bool:
    """Tell whether these are names of kinds of the chain's entries."""
    return all("_" in word for word in text.split())


def problems(path: Path) -> Iterator[str]:
    """Give what refusals of a module name as `problem`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        found = template(node.value) if isinstance(node, ast.keyword) and node.arg == "problem" else None
        if found is not None:
            yield found


SAID = [
    *sorted({said for path in sources(voting.verify.__file__) for said in sentences(path)} - PARTS),
    *sorted({said for path in sources(voting.ballots.__file__) for said in problems(path)}),
    "leader-2022, 2 questions",
    "chain.jsonl, line 3: does not follow from the entries before it",
    "archives/x.bel, member 3 (ab12), byte 7: is not to be counted: its mark ABCD is another ballot's too",
    "archives/x.bel, member 3 (ab12), byte 7: is not the credentials that must stand here",
    "archives/x.bel, member 4, byte 9: ends here without the ballot ab12 of entry 5",
    "archives/x.bel, member 4: should be the event Ballot",
    "archives/x.bel: is not to be counted: answers is not as the rules have it: a list.",
    "North 5, South 2, blank 3; West 4, blank 1",
]


@pytest.mark.parametrize("said", SAID)
def test_it_is_said_in_welsh(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("LC_ALL", "cy_GB.UTF-8")
    check = spoken.check_name(said)
    welsh = spoken.said_problem(said) if check == said else check

    assert welsh != said
    assert english_left(welsh, but="North South West chain Ballot answers") == set()
    assert welsh.count(PLACE) >= said.count(PLACE)


def test_nothing_is_said_that_the_list_of_parts_has_for_nothing() -> None:
    written = {said for path in sources(voting.verify.__file__) for said in sentences(path)}
    assert written >= PARTS
    assert len(written - PARTS) > 150
