"""The tables of what we say: channels of a member, notices, the delivery ledger, the pacers."""

from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from voting.schema import member
from voting.store.columns import METADATA, BigKey, Instant, Json

NOT_REACHED: Final = ("canceled", "failed", "skipped", "unknown")  # states of a delivery that told nobody
IS_NOT_REACHED: Final = "state IN ('canceled', 'failed', 'skipped', 'unknown')"

channel = Table(
    "channel",
    METADATA,  # where a member can be reached, one row each for telegram and sms
    Column("member_id", ForeignKey(member.c.id), primary_key=True),
    Column("kind", Text, CheckConstraint("kind IN ('telegram','sms')", name="kind"), primary_key=True),
    Column("address", Text, nullable=False),  # chat id, or E.164
    Column(
        "state", Text, CheckConstraint("state IN ('on','blocked','opted_out','dead')", name="state"), nullable=False
    ),
    Column("reason", Text),  # the provider's code or the member's word
    Column("language", Text),  # chosen in the chat; NULL: the roll's
    Column("since", Instant, nullable=False),
    Index("ix_channel_address", "kind", "address"),
)

opt_out = Table(
    "opt_out",
    METADATA,  # numbers that said STOP: outlives the channel row, whoever the roll gives the number to
    Column("address", Text, primary_key=True),  # E.164
    Column("reason", Text),
    Column("since", Instant, nullable=False),
)

notice = Table(
    "notice",
    METADATA,
    Column("id", BigKey, primary_key=True),
    Column("kind", Text, nullable=False),  # notices.Kind
    Column("audience", Text, nullable=False),  # audience.parse
    Column("texts", Json, nullable=False),  # custom words: {language: text}; {} for the catalogue's
    Column("facts", Json, nullable=False),  # what the words are filled with, frozen at draft
    Column("segments", Json, nullable=False),  # {language: segments of its SMS}, known when planned
    Column("window_version", Integer),  # a newer window supersedes
    Column("urgent", Boolean, nullable=False),
    Column("texts_when_held", Boolean, nullable=False, default=False),  # while Telegram takes nothing
    Column(
        "state",
        Text,
        CheckConstraint(
            "state IN ('draft','submitted','approved','scheduled','sending','paused','done','canceled','superseded')",
            name="state",
        ),
        nullable=False,
    ),
    Column("pause_reason", Text),
    Column("version", Integer, nullable=False, default=1),  # rises with each change: two people editing at once
    Column("author", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("members", Integer),  # in the audience when it was submitted
    Column("cost", Text),  # of its text messages, then: a decimal number, exactly
    Column("cost_most", Text),  # the same, if all that is for Telegram went by text; NULL: it must not
    Column("approved_by", Text),
    Column("approved_at", Instant),
    Column("approved_hash", Text),  # of words, audience, time and cost; an edit deletes it
    Column("send_at", Instant),
    Column("send_before", Instant),
    Column("on_unknown", Text, CheckConstraint("on_unknown IN ('leave','resend')", name="on_unknown"), nullable=False),
    Column("resend_of", ForeignKey("notice.id")),
    Column("planned_at", Instant),
    Column("ended_at", Instant),
    CheckConstraint("approved_by IS NULL OR approved_by <> author", name="two_people"),
)

delivery = Table(
    "delivery",
    METADATA,  # the ledger: one notice (or one transactional message) to one member on one channel
    Column("id", BigKey, primary_key=True),
    Column("notice_id", ForeignKey("notice.id")),
    Column("member_id", ForeignKey(member.c.id)),
    Column("channel", Text, CheckConstraint("channel IN ('telegram','sms')", name="channel"), nullable=False),
    Column("address", Text, nullable=False),  # frozen at planning
    Column("language", Text, nullable=False),  # frozen at planning
    Column("purpose", Text, nullable=False),  # the notice's kind, or what a transactional message is for
    Column("facts", Json),  # transactional: what its words are filled with; cleared when settled
    Column("occasion", Text),  # transactional: the same occasion is told once
    Column("lane", Integer, nullable=False),  # pacer.Lane
    Column("segments", Integer, nullable=False, default=1),
    Column(
        "state",
        Text,
        CheckConstraint(
            "state IN ('ready','sending','sent','delivered','failed','unknown','canceled','skipped')", name="state"
        ),
        nullable=False,
    ),
    Column("reason", Text),  # why not reached, one word or provider code
    Column("not_before", Instant, nullable=False),
    Column("send_before", Instant),
    Column("fence", Integer, nullable=False, default=0),  # rises with each claim: a late writer finds another number
    Column("lease_until", Instant),  # sending: until then it is ours; unknown, sent: when the provider is asked
    Column("tries", Integer, nullable=False, default=0),
    Column("provider_id", Text),
    Column("rank", Integer, nullable=False, default=0),  # of the provider's last status: never goes back
    Column("fallback_of", ForeignKey("delivery.id")),
    Column("sent_at", Instant),
    Column("settled_at", Instant),
    UniqueConstraint("notice_id", "member_id", "channel"),
    Index(
        "one_occasion",
        "occasion",
        unique=True,
        sqlite_where=text("occasion IS NOT NULL"),
        postgresql_where=text("occasion IS NOT NULL"),
    ),
    Index(
        "ix_delivery_due",  # in the order a claim reads: a paused notice's rows are never in the way of another's
        "channel",
        "notice_id",
        "not_before",
        "id",
        sqlite_where=text("state = 'ready'"),
        postgresql_where=text("state = 'ready'"),
    ),
    Index(
        "ix_delivery_moving",
        "state",
        "lease_until",
        sqlite_where=text("lease_until IS NOT NULL"),
        postgresql_where=text("lease_until IS NOT NULL"),
    ),
    Index(
        "ix_delivery_household",
        "notice_id",
        "address",
        sqlite_where=text("reason = 'household'"),
        postgresql_where=text("reason = 'household'"),
    ),
    Index(
        "ix_delivery_provider",
        "provider_id",
        sqlite_where=text("provider_id IS NOT NULL"),
        postgresql_where=text("provider_id IS NOT NULL"),
    ),
    Index(
        "ix_delivery_not_reached",  # a notice's report lists them page by page
        "notice_id",
        "id",
        sqlite_where=text(IS_NOT_REACHED),
        postgresql_where=text(IS_NOT_REACHED),
    ),
    Index(
        "ix_delivery_fallback",  # who has a second row of a notice
        "notice_id",
        "member_id",
        sqlite_where=text("fallback_of IS NOT NULL"),
        postgresql_where=text("fallback_of IS NOT NULL"),
    ),
    Index("ix_delivery_member", "member_id"),
    Index("ix_delivery_notice_state", "notice_id", "state"),
)

provider_event = Table(
    "provider_event",
    METADATA,  # callbacks: the same status of the same message counts once
    Column("provider_id", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("delivery_id", ForeignKey("delivery.id")),
    Column("error_code", Integer),
    Column("at", Instant, nullable=False),
)

pacer = Table(
    "pacer",
    METADATA,  # one row per provider: which process paces it, how fast, until when nothing may be sent
    Column("provider", Text, primary_key=True),
    Column("holder", Text),
    Column("beat", Integer, nullable=False),  # rises while the holder lives; no clock of another machine is trusted
    Column("hold_until", Instant),  # RetryAfter, remembered over a restart
    Column("lifted_at", Instant),  # an officer ended the hold: its holder has not seen it yet
    Column("rate", Float),
)

pace_share = Table(
    "pace_share",
    METADATA,  # the rate that the holder grants another process for its answers in chats
    Column("provider", Text, primary_key=True),
    Column("process", Text, primary_key=True),
    Column("beat", Integer, nullable=False),
    Column("rate", Float, nullable=False),
)

one_time_code = Table(
    "one_time_code",
    METADATA,  # SMS code that links a chat to a member
    Column("id", BigKey, primary_key=True),
    Column("chat", Text, nullable=False, index=True),
    Column("member_id", ForeignKey(member.c.id), nullable=False),
    Column("code_hash", LargeBinary, nullable=False),
    Column("sent_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("wrong", Integer, nullable=False, default=0),
    Column("used_at", Instant),
)
