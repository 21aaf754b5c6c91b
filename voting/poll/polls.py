"""The poll's life: made from its file, prepared, opened, closed; one poll per database."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.ballots.election import draw_uuid
from voting.model import By, Phase, Poll, Window
from voting.poll import window
from voting.poll.keys import set_trustees
from voting.poll.opening import open_poll
from voting.poll.poll_file import read_poll_file, window_of_file
from voting.poll.stored import columns, load, move, of_row, public
from voting.refusals import (
    ForeignSecrets,
    PollAlreadyOpen,
    PollExists,
    PollNotOpen,
    PollOver,
    PollStillOpen,
)
from voting.secrets_file import Secrets
from voting.typed_text import lines

__all__ = [
    "change_rule",
    "close_poll",
    "init",
    "load",
    "mark_counted",
    "open_poll",
    "read_poll_file",
    "refuse_when_over",
    "set_trustees",
    "window_of_file",
]

# What the file decides; the rest of a row is the poll's own history.
_FROM_FILE: Final = (
    "title",
    "questions",
    "opens_at",
    "closes_at",
    "timezone",
    "joined_by",
    "languages",
    "rule",
    "sms",
    "staff",
    "ways",
)


async def init(connection: AsyncConnection, poll: Poll, delivery: Window, secrets: Secrets, *, by: By) -> Poll:
    """Write the poll and the first version of its window; the same again changes nothing.

    While the poll is still preparing, a changed file changes it: a changed rule counts up `rule_version`,
    and a changed window becomes a new version unless somebody has set another one meanwhile. PollExists
    (another poll is here), ForeignSecrets, PollAlreadyOpen (it is too late for changes).
    """
    row = (await connection.execute(select(schema.poll).with_for_update())).mappings().first()
    if row is None:
        return await _make(connection, poll, delivery, secrets, by=by)
    here = of_row(row)
    if here.id != poll.id:
        raise PollExists(poll_id=here.id)
    if here.signing_key != secrets.verify_key:
        raise ForeignSecrets
    changes = {name: getattr(poll, name) for name in _FROM_FILE if getattr(poll, name) != getattr(here, name)}
    if not changes and not await _window_follows_file(connection, delivery):
        return here
    if here.phase is not Phase.PREPARING:
        raise PollAlreadyOpen(phase=here.phase)
    if "rule" in changes:
        changes["rule_version"] = here.rule_version + 1
    changed = replace(here, **changes)
    if changes:
        await connection.execute(update(schema.poll).values(columns(changed)))
        await chain.append(connection, "poll_changed", public(changed), by=by)
    if await _window_follows_file(connection, delivery):
        await window.set_window(connection, delivery.first_day, delivery.last_day, delivery.reason, by=by)
    return changed


async def refuse_when_over(connection: AsyncConnection) -> Poll:
    """Give the poll while it is preparing or open; PollOver afterwards, when nothing of it may change."""
    poll = await load(connection)
    if poll.phase in {Phase.CLOSED, Phase.COUNTED}:
        raise PollOver(phase=poll.phase)
    return poll


async def change_rule(connection: AsyncConnection, rule: Mapping[str, str], *, by: By) -> Poll:
    """Change the sentence shown before voting: `rule_version` rises, so it is accepted anew. PollOver.

    The same words change nothing. ValueError unless there is a sentence for each of the poll's languages.
    """
    poll = await refuse_when_over(connection)
    words = {language: lines(rule.get(language, "")) for language in poll.languages}
    if set(rule) != set(words) or not all(words.values()):
        raise ValueError("a rule needs one sentence in each language of the poll")
    if words == poll.rule:
        return poll
    changed = replace(poll, rule=words, rule_version=poll.rule_version + 1)
    await connection.execute(update(schema.poll).values(rule=words, rule_version=changed.rule_version))
    body = {"rule": words, "rule_version": changed.rule_version}
    await chain.append(connection, "rule_changed", body, by=by)
    return changed


async def close_poll(connection: AsyncConnection, *, by: By) -> Poll:
    """Close an open poll, for good. PollNotOpen, PollOver."""
    poll = await refuse_when_over(connection)
    if poll.phase is not Phase.OPEN:
        raise PollNotOpen(opens_at=poll.opens_at, closes_at=poll.closes_at)
    await move(connection, Phase.OPEN, Phase.CLOSED, closed_at=by.at)
    await chain.append(connection, "poll_closed", {}, by=by)
    return replace(poll, phase=Phase.CLOSED, closed_at=by.at)


async def mark_counted(connection: AsyncConnection) -> None:
    """Move a closed poll to counted, in the count's own transaction; PollStillOpen."""
    poll = await load(connection)
    if poll.phase is not Phase.CLOSED:
        raise PollStillOpen(phase=poll.phase)
    await move(connection, Phase.CLOSED, Phase.COUNTED)


async def _make(connection: AsyncConnection, poll: Poll, delivery: Window, secrets: Secrets, *, by: By) -> Poll:
    made = replace(poll, signing_key=secrets.verify_key, uuid=poll.uuid or draw_uuid())
    await connection.execute(insert(schema.poll).values(only=1, **columns(made)))
    await chain.append(connection, "poll_initialised", public(made), by=by)
    await window.add(connection, replace(delivery, version=1, set_at=by.at, set_by=by.actor), by=by)
    return made


async def _window_follows_file(connection: AsyncConnection, delivery: Window) -> bool:
    """Whether the file names other days and nobody has moved the window by hand."""
    versions = await window.history(connection)
    by_hand = any(version.reason != delivery.reason for version in versions)
    latest = versions[-1]
    return not by_hand and (latest.first_day, latest.last_day) != (delivery.first_day, delivery.last_day)
