"""What whoever has a bundle checked may ask, and what they are told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody knows from elsewhere and wants compared.

    `key` is the fingerprint published before the vote; `head` a file that `ballotline head --json` printed; `poll` its
    identifier; `receipt` the mark of a ballot, `codes` the pack code and the vote code that it was cast with.
    """

    key: str | None = None
    head: Path | None = None
    poll: str | None = None
    receipt: str | None = None
    codes: tuple[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `line` counts from 1; in the archive `member` and `byte` (from 0) say where."""

    file: str
    line: int | None
    what: str
    member: str | None = None
    byte: int | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        member = "" if self.member is None else f", {self.member}"
        byte = "" if self.byte is None else f", byte {self.byte}"
        return f"{self.file}{line}{member}{byte}: {self.what}"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What the bundle is about, as far as it could be read."""

    poll: str = ""
    fingerprint: str = ""
    trustees: int = 0
    threshold: int = 0
    credentials_before: int = 0  # issued before the opening
    credentials_after: int = 0
    ballots: int = 0
    ballots_by_later_credentials: int = 0
    head_seq: int = 0
    head_hash: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was tried, what is wrong, and `notes` to be read before all else."""

    checks: tuple[Check, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    stage: str = ""
    figures: Figures = Figures()
    result: Mapping[str, Any] | None = None
    election: bytes = b""
    trustees: bytes = b""
    tally: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether everything was tried and nothing is wrong."""
        return bool(self.checks) and not self.problems and all(check.ok for check in self.checks)
