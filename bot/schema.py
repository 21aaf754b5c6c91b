"""The tables of how people reach us: the durable inbox, chats, staff, sessions, alerts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from messages.schema import notice
from voting.schema import case, member
from voting.store.columns import METADATA, BigKey, Instant, Json

inbox = Table(
    "inbox",
    METADATA,
    Column("id", BigKey, primary_key=True),
    Column("source", Text, nullable=False),  # telegram, twilio_inbound, twilio_status
    Column("key", Text, nullable=False),  # update id, MessageSid, MessageSid + status
    Column("queue", Text, nullable=False),  # rows of one queue are processed in order
    Column("payload", LargeBinary),  # encrypted under the key of its hour; null once processed
    Column("received_at", Instant, nullable=False),
    Column("state", Text, CheckConstraint("state IN ('new','done','failed')", name="state"), nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("claimed_by", Text),
    Column("lease_until", Instant),
    Column("done_at", Instant),
    UniqueConstraint("source", "key"),
    Index("ix_inbox_new", "queue", "id", sqlite_where=text("state = 'new'"), postgresql_where=text("state = 'new'")),
)

cursor = Table(
    "cursor",
    METADATA,  # numbers that outlive a restart: how far a poller has confirmed, how many answers a phone had today
    Column("name", Text, primary_key=True),
    Column("value", BigKey, nullable=False),
)

turn = Table(
    "turn",
    METADATA,  # which of several processes polls
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("beat", Integer, nullable=False),  # rises while the holder lives
    Column("trouble", Text),  # what it does not hear: hearing.trouble
)

presence = Table(
    "presence",
    METADATA,  # the processes that run: `doctor` compares them
    Column("process", Text, primary_key=True),
    Column("machine", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("secrets", Text, nullable=False),  # a fingerprint, from which nothing can be learnt of the keys
    Column("seen_at", Instant, nullable=False),
)

chat = Table(
    "chat",
    METADATA,  # a Telegram user's private chat with the bot
    Column("user_id", BigKey, primary_key=True, autoincrement=False),
    Column("language", Text, nullable=False),
    Column("language_chosen", Boolean, nullable=False, default=False),
    Column("member_id", ForeignKey(member.c.id), index=True),
    Column("rule_version", Integer, nullable=False, default=0),  # of the rule accepted here
    Column("warned_at", Instant),  # told here, after the lock, that codes typed again are reported
    Column("warned_member_id", ForeignKey(member.c.id)),  # whose lock it was warned of
    Column("warned_message_id", BigInteger),  # the message that said so: what was typed before it is no attempt
    Column("step", Text, nullable=False, default="idle"),  # of the conversation
    Column("flow", Text),  # id of this run of /vote, /verify or linking
    Column("facts", Json, nullable=False, default=dict),  # pack_id, never a code nor a choice
    Column("step_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

staff = Table(
    "staff",
    METADATA,  # a row gives nobody a role: it must agree with the newest signed entry about its number
    Column("id", BigKey, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, CheckConstraint("role IN ('officer','comms','support')", name="role"), nullable=False),
    Column("user_id", BigKey, nullable=False),
    Column("nonce", LargeBinary, nullable=False),  # what the entry binds the account with (bot.staff.rights)
    Column("language", Text, nullable=False, default="en-GB"),
    Column("phone", Text),  # on-call number, E.164
    Column("duty_order", Integer),  # null: not on duty
    Column("enrolled_at", Instant, nullable=False),
    Column("removed_at", Instant),
    Index(
        "one_enrolment",
        "user_id",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
    Index(
        "one_name",
        "name",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
)

invite = Table(
    "invite",
    METADATA,  # the invitations that count are those on the chain: see bot.staff.rights
    Column("token_hash", LargeBinary, primary_key=True),
    Column("role", Text, nullable=False),
    Column("name", Text),  # what the chain will call them; null: the name of their account
    Column("made_by", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("used_by", ForeignKey("staff.id")),
)

login_link = Table(
    "login_link",
    METADATA,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

session = Table(
    "session",
    METADATA,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
)

staff_group = Table(
    "staff_group",
    METADATA,  # where alerts for the whole staff go
    Column("chat_id", BigKey, primary_key=True, autoincrement=False),
    Column("topic_id", Integer),
    Column("title", Text, nullable=False),
    Column("language", Text),  # none: the poll's first
    Column("set_by", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("removed_at", Instant),
)

draft = Table(
    "draft",
    METADATA,  # a staff member's unfinished broadcast, window or settlement in chat
    Column("user_id", BigKey, primary_key=True, autoincrement=False),
    Column("step", Text, nullable=False),
    Column("facts", Json, nullable=False),
    Column("step_at", Instant, nullable=False),
)

alert = Table(
    "alert",
    METADATA,
    Column("id", BigKey, primary_key=True),
    Column("kind", Text, nullable=False),  # alerts.Kind
    Column("occasion", Text, nullable=False, unique=True),  # the same problem joins the same alert
    Column("case_id", ForeignKey(case.c.id)),
    Column("facts", Json, nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("version", Integer, nullable=False, default=1),  # rises when there is something new to show
    Column("acknowledged_by", Text),
    Column("acknowledged_at", Instant),
    Column("escalated", Integer, nullable=False, default=0),  # steps up the duty list taken
    Column("next_page_at", Instant),
    Column("ended_at", Instant),
)

alert_message = Table(
    "alert_message",
    METADATA,  # where an alert is shown, for edits; when many come at once, several share one message
    Column("alert_id", ForeignKey("alert.id"), primary_key=True),
    Column("chat_id", BigKey, primary_key=True, autoincrement=False),
    Column("message_id", BigKey),  # null: planned, not sent yet
    Column("bundled", Boolean, nullable=False, default=False),
    Column("shown_version", Integer, nullable=False, default=0),
    Column("sent_at", Instant),
    Column("lease_until", Instant),  # until then somebody sends it, or it was changed just now
)

notice_message = Table(
    "notice_message",
    METADATA,  # where a notice's progress is shown, by editing one message
    Column("notice_id", ForeignKey(notice.c.id), primary_key=True),
    Column("chat_id", BigKey, primary_key=True, autoincrement=False),
    Column("message_id", BigKey, nullable=False),
    Column("shown", Text, nullable=False, default=""),  # what it says, so that it is edited only when that changes
    Column("ended_at", Instant),  # the final report was given
)

missing_pack = Table(
    "missing_pack",
    METADATA,  # a member said that no pack came, or that it is damaged
    Column("member_id", ForeignKey(member.c.id), primary_key=True),
    Column("chat", Text, nullable=False),
    Column("reported_at", Instant, nullable=False),
    Column("handled_at", Instant),
    Column("handled_by", Text),
)
