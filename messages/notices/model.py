"""A notice as a value: what a person decided, what was frozen, where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping

from messages.words.kinds import Kind
from messages.words.wording import Words

ENDED: Final = frozenset({"done", "canceled", "superseded"})
EDITABLE: Final = frozenset({"draft", "submitted", "approved"})
ON_ITS_WAY: Final = frozenset({"scheduled", "sending", "paused"})


@dataclass(frozen=True, slots=True)
class Content:
    """What a person decides about a notice. `texts` by language, for Kind.CUSTOM only."""

    kind: str
    audience: str = "all"
    texts: Mapping[str, str] = field(default_factory=dict)
    urgent: bool = False  # before the rest, and in quiet hours too
    send_at: datetime | None = None
    send_before: datetime | None = None
    texts_when_held: bool = False  # by text while Telegram takes nothing for over a minute
    on_unknown: str = "leave"  # Telegram: report as unknown; "resend": rather twice than not


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it stands; `members` and the costs were counted when it was submitted."""

    id: int
    content: Content
    facts: Mapping[str, Any]
    segments: Mapping[str, int]
    window_version: int | None
    state: str
    pause_reason: str | None
    version: int
    author: str
    created_at: datetime
    members: int | None
    cost: str | None
    approved_by: str | None
    approved_at: datetime | None
    approved_hash: str | None
    resend_of: int | None
    planned_at: datetime | None
    ended_at: datetime | None
    cost_most: str | None = None  # if all that is for Telegram went by text; None: it must not

    @property
    def words(self) -> Words:
        """What it says."""
        return Words(Kind(self.content.kind), self.facts, self.content.texts)


def read_notice(row: RowMapping) -> Notice:
    """Read a row of the table."""
    content = Content(
        kind=row["kind"],
        audience=row["audience"],
        texts=row["texts"],
        urgent=row["urgent"],
        send_at=row["send_at"],
        send_before=row["send_before"],
        texts_when_held=row["texts_when_held"],
        on_unknown=row["on_unknown"],
    )
    names = Notice.__dataclass_fields__.keys() - {"content"}
    return Notice(content=content, **{name: row[name] for name in names})
