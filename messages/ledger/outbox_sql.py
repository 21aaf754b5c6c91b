"""The two statements every message goes through, as SQL: claim rows, and settle them. outbox.py says what they mean.

Set-based and written by hand, once per engine where the engines differ; values come as named parameters, many rows as
one JSON array (SQLite bounds the number of parameters).
"""

from typing import Final

from messages.ledger.quick_sql import Statement

RETURNED: Final = (
    "id",
    "fence",
    "channel",
    "address",
    "language",
    "purpose",
    "facts",
    "lane",
    "segments",
    "tries",
    "notice_id",
    "member_id",
    "send_before",
    "state",
    "reason",
)

# In the order of reasons: out of date, has voted meanwhile, said STOP, or the channel went off since planning.
_SKIP: Final = """CASE
    WHEN delivery.send_before IS NOT NULL AND delivery.send_before <= :now THEN 'expired'
    WHEN delivery.notice_id IS NULL THEN NULL
    WHEN :not_to_voters = 1 AND EXISTS (SELECT 1 FROM lock WHERE lock.member_id = delivery.member_id) THEN 'voted'
    WHEN delivery.channel = 'sms'
        AND EXISTS (SELECT 1 FROM opt_out WHERE opt_out.address = delivery.address) THEN 'opted_out'
    ELSE (
        SELECT channel.state FROM channel
        WHERE channel.member_id = delivery.member_id AND channel.kind = delivery.channel
            AND channel.address = delivery.address AND channel.state <> 'on')
    END"""

# Messages to one person, by lane; then those of one notice while it may be sent, oldest first.
_ALONE: Final = """SELECT id FROM delivery
    WHERE channel = :channel AND state = 'ready' AND notice_id IS NULL AND not_before <= :now
    ORDER BY lane, not_before, id LIMIT :most {skip_locked}"""
_OF_NOTICE: Final = """SELECT id FROM delivery
    WHERE channel = :channel AND state = 'ready' AND notice_id = :notice_id AND not_before <= :now
        AND EXISTS (SELECT 1 FROM notice WHERE notice.id = :notice_id AND notice.state = 'sending')
    ORDER BY not_before, id LIMIT :most {skip_locked}"""

_CLAIM: Final = """
WITH alone AS MATERIALIZED ({alone}), of_notice AS MATERIALIZED ({of_notice}),
due AS MATERIALIZED (SELECT id FROM (SELECT 0 AS place, id FROM alone UNION ALL SELECT 1, id FROM of_notice) AS found
    ORDER BY place LIMIT :most),
judged AS MATERIALIZED (SELECT delivery.id AS id, {skip} AS why_not FROM delivery JOIN due ON due.id = delivery.id)
UPDATE delivery SET
    state = CASE WHEN judged.why_not IS NULL THEN 'sending' ELSE 'skipped' END,
    reason = judged.why_not,
    fence = fence + 1,
    lease_until = CASE WHEN judged.why_not IS NULL THEN CAST(:lease_until AS bigint) END,
    settled_at = CASE WHEN judged.why_not IS NULL THEN NULL ELSE CAST(:now AS bigint) END,
    provider_id = NULL,
    rank = 0
FROM judged WHERE delivery.id = judged.id
RETURNING {returned}
"""


def _claim_statement(*, skip_locked: bool) -> str:
    lock = "FOR UPDATE SKIP LOCKED" if skip_locked else ""
    return _CLAIM.format(
        alone=_ALONE.format(skip_locked=lock),
        of_notice=_OF_NOTICE.format(skip_locked=lock),
        skip=_SKIP,
        returned=", ".join(f"delivery.{name}" for name in RETURNED),
    )


CLAIM: Final = Statement(_claim_statement(skip_locked=False), _claim_statement(skip_locked=True))

_SETTLED_ROWS: Final = {
    "sqlite": """(SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.fence') AS fence,
        json_extract(value, '$.state') AS state, json_extract(value, '$.reason') AS reason,
        json_extract(value, '$.provider_id') AS provider_id, json_extract(value, '$.not_before') AS not_before,
        json_extract(value, '$.ask_at') AS ask_at, json_extract(value, '$.address') AS address,
        json_extract(value, '$.tries') AS tries, json_extract(value, '$.settled_at') AS settled_at
        FROM json_each(:rows))""",
    "postgresql": """(SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s(
        id bigint, fence integer, state text, reason text, provider_id text, not_before bigint, ask_at bigint,
        address text, tries integer, settled_at bigint))""",
}

# A success also reaches a row that was given up as unknown, and one put back into the queue but not claimed again.
_SETTLE: Final = """
UPDATE delivery SET
    state = s.state,
    reason = s.reason,
    provider_id = COALESCE(s.provider_id, delivery.provider_id),
    not_before = COALESCE(s.not_before, delivery.not_before),
    lease_until = s.ask_at,
    address = COALESCE(s.address, delivery.address),
    tries = delivery.tries + s.tries,
    sent_at = CASE WHEN s.state = 'sent' THEN s.settled_at ELSE delivery.sent_at END,
    settled_at = s.settled_at,
    facts = CASE WHEN s.state IN ('sent', 'failed') THEN NULL ELSE delivery.facts END
FROM {rows} AS s
WHERE delivery.id = s.id AND delivery.fence = s.fence
    AND (delivery.state IN ('sending', 'unknown')
         OR (delivery.state = 'ready' AND delivery.provider_id IS NULL AND s.state = 'sent'))
RETURNING delivery.id
"""
SETTLE: Final = Statement(
    _SETTLE.format(rows=_SETTLED_ROWS["sqlite"]), _SETTLE.format(rows=_SETTLED_ROWS["postgresql"])
)
