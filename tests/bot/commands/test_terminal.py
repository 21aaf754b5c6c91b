"""Tables in a narrow terminal: what does not fit goes on in the next line, and nothing is cut."""

import pytest
from rich.console import Console

from bot.commands import terminal

DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize("kind", ["table", "facts"])
def test_a_digest_is_whole_at_80_columns(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Console(width=80, record=True)
    monkeypatch.setattr(terminal, "OUT", out)
    if kind == "table":
        terminal.print_table("Checks", ("", "What was checked", "What was found"), [("good", "tally " * 9, DIGEST)])
    else:
        terminal.print_facts("Poll", {"the name of the fact " * 2: DIGEST})

    shown = out.export_text()
    assert "…" not in shown
    found = (part for part in shown.split() if set(part) <= set(DIGEST) and len(part) > 1)
    assert "".join(found) == DIGEST
