"""What was found, and how a person reads it: one line each, with what to do."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.commands.spoken import name_of, text
from bot.commands.terminal import OUT


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: `ok` is None for what is off on purpose. The name is the same in every language, as JSON has it."""

    name: str
    ok: bool | None
    detail: str
    what_to_do: str = ""

    @property
    def line(self) -> str:
        """Give it as it is read."""
        return f"{name_of(self.name)}: {self.detail}"


def found_mark(*, ok: bool | None) -> str:
    """Give the mark before a finding, as wide as every other."""
    words = {one: text("commands", key) for one, key in ((True, "found.ok"), (False, "found.no"), (None, "found.off"))}
    style = {True: "green", False: "red", None: "dim"}[ok]
    return f"[{style}]{words[ok].ljust(max(map(len, words.values())))}[/{style}]"


def show_findings(findings: Iterable[Finding]) -> None:
    """Print one line each, with what to do."""
    for finding in findings:
        todo = f"  [bold]{finding.what_to_do}[/bold]" if finding.what_to_do else ""
        OUT.print(f"{found_mark(ok=finding.ok)} {finding.line}{todo}")
