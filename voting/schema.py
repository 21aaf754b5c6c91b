"""The tables of what is true. Constraints here and triggers in the migration enforce the rules, not Python.

What each table never holds matters most: no code in the clear anywhere; no choice but encrypted to the trustees, in
`ballot`; no option in `intent`, `lock`, `attempt` or `chain`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from voting.store.columns import METADATA, BigKey, Instant, Json

poll = Table(
    "poll",
    METADATA,
    Column("only", Integer, CheckConstraint('"only" = 1', name="only"), primary_key=True),  # one poll per database
    Column("id", Text, nullable=False),
    Column("uuid", Text, nullable=False),  # of the election: 22 characters of Base58, drawn once
    Column("title", Text, nullable=False),
    Column("questions", Json, nullable=False),  # as in paper.json, in the poll's order
    Column("opens_at", Instant, nullable=False),
    Column("closes_at", Instant, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("joined_by", Date, nullable=False),
    Column("languages", Json, nullable=False),  # list of str
    Column("rule", Json, nullable=False),  # {language: sentence}
    Column("rule_version", Integer, nullable=False, default=1),
    Column("sms", Json, nullable=False),  # quiet_from, quiet_until, cost_per_segment, currency
    Column("staff", Json, nullable=False),  # approve_over, escalate_after_minutes, contact
    Column("ways", Json, nullable=False),  # page, chat
    Column(
        "phase",
        Text,
        CheckConstraint("phase IN ('preparing','open','closed','counted')", name="phase"),
        nullable=False,
    ),
    Column("opened_at", Instant),
    Column("closed_at", Instant),
    Column("trustees_file", LargeBinary),  # trustees.json, byte for byte
    Column("key_kind", Text, CheckConstraint("key_kind IN ('dealer','ceremony')", name="key_kind")),
    Column("paper", LargeBinary),  # paper.json as it was at the opening, byte for byte
    Column("signing_key", LargeBinary, nullable=False),  # Ed25519 public key of the chain's entries and heads
)

window = Table(
    "window",
    METADATA,
    Column("version", Integer, primary_key=True),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("set_by", Text, nullable=False),
    CheckConstraint("first_day <= last_day", name="forward"),
)

member = Table(
    "member",
    METADATA,
    Column("id", BigKey, primary_key=True),
    Column("member_no", Text, nullable=False, unique=True),
    Column("language", Text, nullable=False),
    Column("area", Text, nullable=False, index=True),
    Column("country", Text, nullable=False),
    Column("phone", Text, index=True),  # E.164, or null with the reason
    Column("phone_reason", Text),
    Column("person_digest", LargeBinary, index=True),  # keyed hash of name and postcode: likely duplicates
    Column("joined_on", Date),
    Column("eligible", Boolean, nullable=False),
    Column("ineligible_reason", Text),
    Column("lapsed_at", Instant),
    Column("lapsed_reason", Text),  # staff's own words; never on the chain
)

roll_file = Table(
    "roll_file",
    METADATA,  # where names and addresses can be read again: they are not stored
    Column("sha256", LargeBinary, primary_key=True),
    Column("path", Text, nullable=False),
    Column("imported_at", Instant, nullable=False),
)

pack = Table(
    "pack",
    METADATA,
    Column("id", BigKey, primary_key=True),
    Column("member_id", ForeignKey("member.id"), nullable=False),
    Column("serial", Integer, nullable=False),  # 1 for the first pack of a member
    Column("pack_hash", LargeBinary, nullable=False, unique=True),
    Column("credential", LargeBinary, unique=True),  # public, a point of 32 bytes; null once forgotten
    Column("issued_entry", BigInteger),  # the chain entry that names it among those issued
    Column("ended_entry", BigInteger),  # and the one that voids it
    Column("state", Text, CheckConstraint("state IN ('live','void','replaced')", name="state"), nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("dispatched_on", Date),
    Column("delivered_on", Date),
    Column("returned_on", Date),
    Column("locked_out_at", Instant),
    UniqueConstraint("member_id", "serial"),
    # A member has one pack that works: with two live packs two votes of one member could collide.
    Index(
        "one_live_pack",
        "member_id",
        unique=True,
        sqlite_where=text("state = 'live'"),
        postgresql_where=text("state = 'live'"),
    ),
    Index(
        "ix_pack_locked_out",
        "member_id",
        sqlite_where=text("locked_out_at IS NOT NULL"),
        postgresql_where=text("locked_out_at IS NOT NULL"),
    ),
)

replacement = Table(
    "replacement",
    METADATA,  # a pack replacement waiting for its second person
    Column("id", BigKey, primary_key=True),
    Column("member_id", ForeignKey("member.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("approved_by", Text),
    Column("approved_at", Instant),
    Column("issued_at", Instant),  # when the new pack went into a print file
    CheckConstraint("approved_by IS NULL OR approved_by <> asked_by", name="two_people"),
    Index(
        "one_open_replacement",
        "member_id",
        unique=True,
        sqlite_where=text("issued_at IS NULL"),
        postgresql_where=text("issued_at IS NULL"),
    ),
)

wrong_code = Table(
    "wrong_code",
    METADATA,
    Column("id", BigKey, primary_key=True),
    Column("chat", Text, nullable=False),
    Column("pack_id", ForeignKey("pack.id")),  # null: the pack code itself was wrong
    Column("code_hash", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
    Column("lifted_at", Instant),  # staff lifted the lockout: no longer counts
    UniqueConstraint("chat", "pack_id", "code_hash"),
    Index("ix_wrong_code_chat_at", "chat", "at"),
    Index("ix_wrong_code_pack", "pack_id"),
    Index("ix_wrong_code_at", "at"),
)

intent = Table(
    "intent",
    METADATA,  # one showing of the voting paper; never what was chosen on it
    Column("id", Text, primary_key=True),
    Column("member_id", ForeignKey("member.id"), nullable=False),
    Column("pack_id", ForeignKey("pack.id"), nullable=False),
    Column("chat", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("message", Text),  # with the codes, within its chat: delivered again it is not a new attempt
    Column("credential_secret", LargeBinary),  # encrypted, while the paper is open; then null
    Column("refused_at", Instant),  # cast after the member had voted from another chat
    Index("ix_intent_member", "member_id"),
    sqlite_with_rowid=False,
)

lock = Table(
    "lock",
    METADATA,  # insert only; triggers refuse UPDATE, DELETE, TRUNCATE and REPLACE
    Column("member_id", ForeignKey("member.id"), primary_key=True),
    Column("how", Text, CheckConstraint("how IN ('online','post')", name="how"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("pack_id", ForeignKey("pack.id"), nullable=False, unique=True),
    Column("intent_id", ForeignKey("intent.id"), unique=True),
    Column("receipt", Text, unique=True),
    Column("chat", Text, index=True),  # looked up with every /vote of a chat that is not linked
    # Online all three are there, as a trigger insists, until a purge after the count forgets them.
    CheckConstraint(
        "how = 'online' OR (intent_id IS NULL AND receipt IS NULL AND chat IS NULL)", name="online_has_receipt"
    ),
)

ballot = Table(
    "ballot",
    METADATA,  # what was cast, as it is counted and published; insert only
    Column("credential", LargeBinary, primary_key=True),  # public: one ballot each
    Column("packed", LargeBinary, nullable=False),  # ballots.packed
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the ballot's JSON; its mark is the receipt
    Column("entry", BigInteger, nullable=False, index=True),  # the chain entry that names the digest
    sqlite_with_rowid=False,  # rows lie in the order of credentials, not of casting
)

case = Table(
    "attempt_case",
    METADATA,  # "case" is SQL's own word
    Column("id", BigKey, primary_key=True),
    Column("member_id", ForeignKey("member.id"), nullable=False, unique=True),
    Column("opened_at", Instant, nullable=False),
    Column("state", Text, CheckConstraint("state IN ('open','proposed','settled')", name="state"), nullable=False),
    Column("version", Integer, nullable=False, default=1),  # rises with each change: two people editing at once
    Column("acknowledged_by", Text),
    Column("acknowledged_at", Instant),
    Column("assigned_to", Text),
    Column("outcome", Text),
    Column("note", Text),
    Column("proposed_by", Text),
    Column("proposed_at", Instant),
    Column("settled_by", Text),
    Column("settled_at", Instant),
    Column("disputed_at", Instant),  # somebody with the codes says that the first vote was not theirs
    CheckConstraint("settled_by IS NULL OR settled_by <> proposed_by", name="two_people"),
)

attempt = Table(
    "attempt",
    METADATA,  # insert only
    Column("id", BigKey, primary_key=True),
    Column("case_id", ForeignKey("attempt_case.id"), nullable=False, index=True),
    Column("member_id", ForeignKey("member.id"), nullable=False),
    Column("kind", Text, nullable=False),  # attempts.Kind
    Column("at", Instant, nullable=False),
    Column("chat", Text),  # of the asker; null for paper
    Column("pack_id", ForeignKey("pack.id"), nullable=False),
    Column("occasion", Text, nullable=False),  # what makes a repeated delivery the same attempt
    UniqueConstraint("member_id", "occasion"),
)

paper = Table(
    "paper",
    METADATA,  # a scanned postal return: one per pack, since a pack holds one paper
    Column("id", BigKey, primary_key=True),
    Column("pack_id", ForeignKey("pack.id"), nullable=False, unique=True),
    Column("received_at", Instant, nullable=False),
    Column("status", Text, CheckConstraint("status IN ('received','rejected')", name="status"), nullable=False),
    Column(
        "outcome",
        Text,
        CheckConstraint("outcome IN ('locked','set_aside','rejected')", name="outcome"),
        nullable=False,
    ),
    Column("reason", Text),  # scanned.Aside, when set aside
    Column("imported_at", Instant, nullable=False),
    CheckConstraint("(outcome = 'set_aside') = (reason IS NOT NULL)", name="aside_has_reason"),
)

postal_count = Table(
    "postal_count",
    METADATA,
    Column("version", Integer, primary_key=True),
    Column("votes", Json, nullable=False),  # list of int, in the paper's order
    Column("scanned", Integer, nullable=False),  # papers that locked, when this was counted
    Column("justification", Text),  # why scans and papers differ, when they do
    Column("counted_by", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

chain = Table(
    "chain",
    METADATA,  # insert only
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Json, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("signature", LargeBinary, nullable=False),  # Ed25519, by the poll's signing key
)

head = Table(
    "head",
    METADATA,  # signed heads of the chain; insert only
    Column("seq", ForeignKey("chain.seq"), primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
)

result = Table(
    "result",
    METADATA,  # the count, once
    Column("only", Integer, CheckConstraint('"only" = 1', name="only"), primary_key=True),
    Column("body", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Column("turnout", Numeric(7, 4)),
    Column("decryptions", LargeBinary),  # decryptions.jsonl, byte for byte: the bundle can be written again
)
