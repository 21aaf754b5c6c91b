"""The statement that locks votes, for each engine: whoever has no lock, may vote, holds a live pack and is in time."""

from typing import Final

from sqlalchemy import TextClause, text

# One parameter carries the whole batch as JSON. NOT EXISTS leaves out what a key or a trigger would
# refuse: a second lock, and a mark that by chance another ballot has already. ON CONFLICT is for another process that
# was faster within its own transaction. Each cast keeps its own time: nobody's lock is older than their paper. Of two
# papers of one member the first that was pressed counts.
_LOCK: Final = """
INSERT INTO lock (member_id, how, at, pack_id, intent_id, receipt, chat)
SELECT intent.member_id, 'online', {at}, intent.pack_id, intent.id, {receipt}, intent.chat
FROM {batch}
JOIN intent ON intent.id = {intent_id} AND intent.chat = {chat}
JOIN member ON member.id = intent.member_id AND member.eligible
JOIN pack ON pack.id = intent.pack_id AND pack.state = 'live' AND pack.locked_out_at IS NULL
  AND {pack_credential} = {credential}
JOIN poll ON poll.phase = 'open' AND poll.opens_at <= {at} AND {at} < poll.closes_at AND poll.rule_version = {rule}
WHERE NOT EXISTS (SELECT 1 FROM lock AS earlier WHERE earlier.member_id = intent.member_id)
  AND NOT EXISTS (SELECT 1 FROM lock AS twin WHERE twin.receipt = {receipt})
{first}
ON CONFLICT DO NOTHING
RETURNING intent_id, chat, member_id
"""
_SQLITE: Final = _LOCK.format(
    batch="json_each(:batch) AS cast_",
    intent_id="json_extract(cast_.value, '$.intent')",
    chat="json_extract(cast_.value, '$.chat')",
    receipt="json_extract(cast_.value, '$.receipt')",
    rule="json_extract(cast_.value, '$.rule')",
    credential="json_extract(cast_.value, '$.credential')",
    pack_credential="lower(hex(pack.credential))",
    at="json_extract(cast_.value, '$.at')",
    first="GROUP BY intent.member_id HAVING min(cast_.key) >= 0",  # the other columns are those of the row with the min
)
_POSTGRESQL: Final = _LOCK.format(
    batch="jsonb_to_recordset(CAST(:batch AS jsonb))"
    " AS cast_(intent text, chat text, receipt text, credential text, rule integer, at bigint, place integer)",
    intent_id="cast_.intent",
    chat="cast_.chat",
    receipt="cast_.receipt",
    rule="cast_.rule",
    credential="cast_.credential",
    pack_credential="encode(pack.credential, 'hex')",
    at="cast_.at",
    # Whoever closes the poll, lapses a member or replaces a pack at this moment waits for us, or we for them.
    first="ORDER BY intent.member_id, cast_.place FOR SHARE OF poll, pack, member",
)


def lock_statement(*, sqlite: bool) -> TextClause:
    """Give the statement for SQLite or PostgreSQL; it gives back intent, chat and member of everybody it locked.

    `batch`: a JSON list of casts, each with its `place` in it, `intent`, `chat`, `rule` (its version), `receipt`,
    `credential` (hexadecimal) and `at` (microseconds).
    """
    return text(_SQLITE if sqlite else _POSTGRESQL)
