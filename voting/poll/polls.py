"""The poll's life: made from its file, prepared, opened, closed; one poll per database."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import RowMapping, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.ballots.election import draw_uuid
from voting.model import By, Phase, Poll, SmsRules, StaffRules, Window
from voting.poll import window
from voting.poll.poll_file import read_poll_file, window_of_file
from voting.poll.without_pack import count_without_pack
from voting.refusals import (
    ForeignSecrets,
    NoPoll,
    PacksMissing,
    PollAlreadyOpen,
    PollExists,
    PollNotOpen,
    PollNotReady,
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
    "set_election_key",
    "window_of_file",
]

_THE_POLL: Final = select(schema.poll)  # built once: everything begins with it
# What the file decides; the rest of a row is the poll's own history.
_FROM_FILE: Final = (
    "title",
    "question",
    "options",
    "opens_at",
    "closes_at",
    "timezone",
    "joined_by",
    "languages",
    "rule",
    "sms",
    "staff",
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
    here = _poll(row)
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
        await connection.execute(update(schema.poll).values(_columns(changed)))
        await chain.append(connection, "poll_changed", _public(changed), by=by)
    if await _window_follows_file(connection, delivery):
        await window.set_window(connection, delivery.first_day, delivery.last_day, delivery.reason, by=by)
    return changed


async def load(connection: AsyncConnection) -> Poll:
    """Give the poll; NoPoll."""
    row = (await connection.execute(_THE_POLL)).mappings().first()
    if row is None:
        raise NoPoll
    return _poll(row)


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


async def set_election_key(
    connection: AsyncConnection,
    public_key: bytes,
    *,
    trustees: int,
    threshold: int,
    share_digests: Sequence[str],
    by: By,
) -> Poll:
    """Keep the public half and the digests of the shares. A new key replaces an older one until the poll opens."""
    poll = await load(connection)
    if poll.phase is not Phase.PREPARING:
        raise PollAlreadyOpen(phase=poll.phase)
    changed = replace(
        poll,
        election_key=public_key,
        trustees=trustees,
        threshold=threshold,
        share_digests=tuple(share_digests),
    )
    await connection.execute(update(schema.poll).values(_columns(changed)))
    body = {
        "election_key": public_key.hex(),
        "trustees": trustees,
        "threshold": threshold,
        "share_digests": list(share_digests),
    }
    await chain.append(connection, "election_key_set", body, by=by)
    return changed


async def open_poll(connection: AsyncConnection, *, by: By, despite_missing_packs: bool = False) -> Poll:
    """Open the poll; votes are taken from `opens_at` on. PollAlreadyOpen, PollNotReady naming what is missing.

    PacksMissing when somebody who may vote has no pack, unless that was accepted: the chain then says how many.
    """
    poll = await load(connection)
    if poll.phase is not Phase.PREPARING:
        raise PollAlreadyOpen(phase=poll.phase)
    if missing := await _missing(connection, poll, by.at):
        raise PollNotReady(missing=", ".join(missing))
    without = await count_without_pack(connection)
    if without and not despite_missing_packs:
        raise PacksMissing(members=without)
    await _move(connection, Phase.PREPARING, Phase.OPEN, opened_at=by.at)
    body: dict[str, Any] = {"opens_at": poll.opens_at.isoformat(), "closes_at": poll.closes_at.isoformat()}
    if without:
        body["without_pack"] = without
    await chain.append(connection, "poll_opened", body, by=by)
    return replace(poll, phase=Phase.OPEN, opened_at=by.at)


async def close_poll(connection: AsyncConnection, *, by: By) -> Poll:
    """Close an open poll, for good; the caller then empties the tray. PollNotOpen, PollOver."""
    poll = await refuse_when_over(connection)
    if poll.phase is not Phase.OPEN:
        raise PollNotOpen(opens_at=poll.opens_at, closes_at=poll.closes_at)
    await _move(connection, Phase.OPEN, Phase.CLOSED, closed_at=by.at)
    await chain.append(connection, "poll_closed", {}, by=by)
    return replace(poll, phase=Phase.CLOSED, closed_at=by.at)


async def mark_counted(connection: AsyncConnection) -> None:
    """Move a closed poll to counted, in the count's own transaction; PollStillOpen."""
    poll = await load(connection)
    if poll.phase is not Phase.CLOSED:
        raise PollStillOpen(phase=poll.phase)
    await _move(connection, Phase.CLOSED, Phase.COUNTED)


async def _make(connection: AsyncConnection, poll: Poll, delivery: Window, secrets: Secrets, *, by: By) -> Poll:
    made = replace(poll, signing_key=secrets.verify_key, uuid=poll.uuid or draw_uuid())
    await connection.execute(insert(schema.poll).values(only=1, **_columns(made)))
    await chain.append(connection, "poll_initialised", _public(made), by=by)
    await window.add(connection, replace(delivery, version=1, set_at=by.at, set_by=by.actor), by=by)
    return made


async def _window_follows_file(connection: AsyncConnection, delivery: Window) -> bool:
    """Whether the file names other days and nobody has moved the window by hand."""
    versions = await window.history(connection)
    by_hand = any(version.reason != delivery.reason for version in versions)
    latest = versions[-1]
    return not by_hand and (latest.first_day, latest.last_day) != (delivery.first_day, delivery.last_day)


async def _missing(connection: AsyncConnection, poll: Poll, now: datetime) -> list[str]:
    somebody = select(exists().where(schema.member.c.eligible))
    a_pack = select(exists().where(schema.pack.c.state == "live"))
    checks = {
        "the election key (`ballotline keys create`)": poll.election_key is not None,
        "a roll with somebody who may vote (`ballotline roll import`)": bool(await connection.scalar(somebody)),
        "packs (`ballotline packs issue`)": bool(await connection.scalar(a_pack)),
        "a closing time that has not passed": now < poll.closes_at,
    }
    return [name for name, there in checks.items() if not there]


async def _move(connection: AsyncConnection, before: Phase, after: Phase, **times: datetime) -> None:
    """Change the phase; PollAlreadyOpen names the phase of now when somebody else was faster."""
    moved = await connection.execute(
        update(schema.poll).where(schema.poll.c.phase == before).values(phase=after, **times)
    )
    if moved.rowcount != 1:
        raise PollAlreadyOpen(phase=(await load(connection)).phase)


def _columns(poll: Poll) -> dict[str, Any]:
    values = {name: getattr(poll, name) for name in schema.poll.c.keys() if name != "only"}  # noqa: SIM118 - columns, not a dict
    values["sms"] = {**asdict(poll.sms), "cost_per_segment": str(poll.sms.cost_per_segment)}
    values["staff"] = asdict(poll.staff)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _poll(row: RowMapping) -> Poll:
    values = {name: value for name, value in row.items() if name != "only"}
    sms = values["sms"]
    return Poll(
        **values
        | {
            "options": tuple(values["options"]),
            "languages": tuple(values["languages"]),
            "share_digests": tuple(values["share_digests"] or ()),
            "phase": Phase(values["phase"]),
            "sms": SmsRules(**sms | {"cost_per_segment": Decimal(sms["cost_per_segment"])}),
            "staff": StaffRules(**values["staff"]),
        }
    )


def _public(poll: Poll) -> dict[str, Any]:
    """Give what the poll is, as strangers may read it on the chain."""
    return {
        "id": poll.id,
        "uuid": poll.uuid,
        "title": poll.title,
        "question": poll.question,
        "options": list(poll.options),
        "opens_at": poll.opens_at.isoformat(),
        "closes_at": poll.closes_at.isoformat(),
        "timezone": poll.timezone,
        "joined_by": poll.joined_by.isoformat(),
        "languages": list(poll.languages),
        "rule": poll.rule,
        "rule_version": poll.rule_version,
        "signing_key": poll.signing_key.hex(),
    }
