"""Turn a claimed delivery into the message to send: words are rendered once per notice, language and channel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.channels.channels import Outgoing, Renderer
from messages.channels.verdicts import SendFailed, Verdict
from messages.ledger.settlement import Claimed
from messages.reach import SMS
from messages.schema import notice
from messages.words.kinds import Kind
from messages.words.purposes import LITERAL, PURPOSES
from messages.words.texts import MissingText, fit_language
from messages.words.wording import Words, message_text

KEPT_MAX: Final = 64  # notices whose words are remembered


@dataclass(frozen=True, slots=True)
class _Rendered:
    text: str
    html: str | None


class Letters:
    """Writes messages. `renderers` write those for purposes this floor does not know (alerts, with buttons)."""

    def __init__(self, renderers: Mapping[str, Renderer] | None = None) -> None:
        self._renderers = dict(renderers or {})
        self._words: dict[int, Words] = {}
        self._rendered: dict[tuple[int, str, str], _Rendered] = {}

    async def learn(self, connection: AsyncConnection, notice_ids: Iterable[int]) -> None:
        """Read the words of notices not known yet; they do not change once planned."""
        unknown = set(notice_ids) - self._words.keys()
        if not unknown:
            return
        if len(self._words) + len(unknown) > KEPT_MAX:
            self._words.clear()
            self._rendered.clear()
        rows = await connection.execute(
            select(notice.c.id, notice.c.kind, notice.c.texts, notice.c.facts).where(notice.c.id.in_(unknown))
        )
        for row in rows:
            self._words[row.id] = Words(Kind(row.kind), row.facts, row.texts)

    def write(self, claimed: Claimed) -> Outgoing:
        """Give the message for a row; SendFailed(OUR_SETUP) when we lack the words for it."""
        try:
            return self._notice(claimed) if claimed.notice_id is not None else self._message(claimed)
        except (MissingText, KeyError, StopIteration, ValueError) as problem:
            raise SendFailed(Verdict.OUR_SETUP, f"no_words:{claimed.purpose}") from problem

    def _notice(self, claimed: Claimed) -> Outgoing:
        assert claimed.notice_id is not None
        key = (claimed.notice_id, claimed.channel, claimed.language)
        if key not in self._rendered:
            words, language = self._words[claimed.notice_id], fit_language(claimed.language)
            sms = claimed.channel == SMS
            self._rendered[key] = _Rendered(words.sms(language), None if sms else words.chat(language))
        rendered = self._rendered[key]
        return Outgoing(
            claimed.address,
            rendered.text,
            rendered.html,
            claimed.language,
            delivery_id=claimed.id,
            fence=claimed.fence,
            send_before=claimed.send_before,
        )

    def _message(self, claimed: Claimed) -> Outgoing:
        return replace(
            self._worded(claimed),
            address=claimed.address,
            delivery_id=claimed.id,
            fence=claimed.fence,
            send_before=claimed.send_before,
        )

    def _worded(self, claimed: Claimed) -> Outgoing:
        facts: Mapping[str, Any] = claimed.facts or {}
        if claimed.purpose in self._renderers:
            return self._renderers[claimed.purpose](facts, claimed.language)
        if claimed.purpose == LITERAL:
            return Outgoing(claimed.address, facts["text"], facts.get("html"), claimed.language)
        if claimed.purpose not in PURPOSES:
            raise KeyError(claimed.purpose)
        return Outgoing(
            claimed.address,
            message_text(claimed.purpose, claimed.channel, claimed.language, facts),
            language=claimed.language,
        )
