"""The words of a notice, per language and channel; and of a message to one person. Pure: facts in, text out.

A notice's facts are frozen when it is drafted, and none of them is about one member: everybody in a language gets
the same text, which is rendered once.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from messages.words.dates import moment_text, window_text
from messages.words.kinds import NOT_TO_VOTERS, Kind
from messages.words.purposes import DOMAIN, NAME_PAGE, PURPOSES, fitting
from messages.words.sms_text import plain
from messages.words.texts import DEFAULT_LANGUAGE, fit_language, html_text, text
from voting.model import Poll, Window


@dataclass(frozen=True, slots=True)
class Ways:
    """How people get to us, as the words name it; what is empty is not there.

    `opt_out_url`: where texts end, if the sender cannot receive. `page_url`: the voting page.
    """

    bot_url: str
    opt_out_url: str = ""
    page_url: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What a notice says: its kind, custom texts by language, and the facts that fill the catalogue's."""

    kind: Kind
    facts: Mapping[str, Any]
    texts: Mapping[str, str] = field(default_factory=dict)

    def chat(self, language: str) -> str:
        """Give the Telegram message, HTML."""
        if self.kind is Kind.CUSTOM:
            return html.escape(self._custom(language), quote=False)
        words = html_text(DOMAIN, f"chat.{self.kind}", language, **self._params(language))
        if self.kind not in NOT_TO_VOTERS or not (page := self.facts.get("page_url")):
            return words
        return f"{words}\n\n{html_text(DOMAIN, 'chat.page', language, page_url=page)}"

    def sms(self, language: str) -> str:
        """Give the text message in plain characters, with the words how to stop texts at its end."""
        if self.kind is Kind.CUSTOM:
            body = self._custom(language)
        else:
            body = text(DOMAIN, fitting(f"sms.{self.kind}", self.facts), language, **self._params(language))
        return plain(f"{body}\n{self._way_out(language)}")

    def _way_out(self, language: str) -> str:
        url = str(self.facts.get("opt_out_url", ""))
        return text(DOMAIN, "sms.opt_out_one_way", language, url=url) if url else text(DOMAIN, "sms.opt_out", language)

    def _custom(self, language: str) -> str:
        return (self.texts.get(language) or self.texts.get(DEFAULT_LANGUAGE) or next(iter(self.texts.values()))).strip()

    def _params(self, language: str) -> dict[str, str | int]:
        facts = self.facts
        first, last = date.fromisoformat(facts["first_day"]), date.fromisoformat(facts["last_day"])
        old_first, old_last = date.fromisoformat(facts["old_first_day"]), date.fromisoformat(facts["old_last_day"])
        rules = facts["rule"]
        return {
            "title": facts["title"],
            "window": window_text(first, last, language),
            "old_window": window_text(old_first, old_last, language),
            "rule": rules.get(language) or next(iter(rules.values())),
            "closes": moment_text(datetime.fromisoformat(facts["closes_at"]), facts["timezone"], language),
            "bot_url": facts["bot_url"],
            "online_url": facts.get("page_url") or facts["bot_url"],
        }


def facts_of(poll: Poll, windows: list[Window], ways: Ways) -> dict[str, Any]:
    """Freeze what a notice's words need; `windows` oldest first, the last two are told."""
    newest = windows[-1]
    before = windows[-2] if len(windows) > 1 else newest
    return {
        "title": poll.title,
        "timezone": poll.timezone,
        "first_day": newest.first_day.isoformat(),
        "last_day": newest.last_day.isoformat(),
        "old_first_day": before.first_day.isoformat(),
        "old_last_day": before.last_day.isoformat(),
        "rule": {language: poll.rule_in(language) for language in poll.languages},
        "closes_at": poll.closes_at.isoformat(),
        "bot_url": ways.bot_url,
        "opt_out_url": ways.opt_out_url,
        "page_url": "" if poll.ways.page is False else ways.page_url,
    }


def message_text(purpose: str, channel: str, language: str, facts: Mapping[str, Any]) -> str:
    """Give the words of a message to one person; KeyError for a purpose that is not in `purposes.py`."""
    key = fitting(PURPOSES[purpose][channel], facts)
    body = text(DOMAIN, key, fit_language(language), **facts)
    if purpose in NAME_PAGE and facts.get("page_url"):
        body += " " + text(DOMAIN, "sms.vote_page", fit_language(language), page_url=facts["page_url"])
    return plain(body) if channel == "sms" else body
