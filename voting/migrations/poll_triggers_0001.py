"""More judges of the first migration, frozen with it: the paper of an open poll, what a pack is, what is forgotten."""

from typing import Final, NamedTuple


class Judge(NamedTuple):
    """Refuses an act on a table's row under a condition; `{differs}` in it is the engine's own "is not the same"."""

    name: str
    table: str
    act: str
    when: str
    sentence: str


PAPER: Final = (
    "id",
    "uuid",
    "title",
    "questions",
    "opens_at",
    "closes_at",
    "timezone",
    "joined_by",
    "languages",
    "ways",
    "trustees_file",
    "key_kind",
    "paper",
    "signing_key",
)
_JSON: Final = ("questions", "languages", "ways")  # PostgreSQL compares json as text only
_RANK: Final = "CASE {row}.phase WHEN 'preparing' THEN 0 WHEN 'open' THEN 1 WHEN 'closed' THEN 2 ELSE 3 END"
_COUNTED: Final = "EXISTS (SELECT 1 FROM poll WHERE phase = 'counted')"


def _changed(names: tuple[str, ...]) -> str:
    columns = [f"CAST({{row}}.{name} AS text)" if name in _JSON else f"{{row}}.{name}" for name in names]
    return " OR ".join(f"{each.format(row='NEW')} {{differs}} {each.format(row='OLD')}" for each in columns)


def _set_once(name: str) -> str:
    """Say that a value changes other than from nothing to something, or back to nothing by the purge."""
    forgotten = f"(NEW.{name} IS NULL AND {_COUNTED})"
    return f"(OLD.{name} IS NOT NULL AND NEW.{name} {{differs}} OLD.{name} AND NOT {forgotten})"


_KEPT_OF_LOCK: Final = _changed(("member_id", "how", "pack_id"))
_TAKEN: Final = (
    "EXISTS (SELECT 1 FROM pack WHERE id = NEW.id OR pack_hash = NEW.pack_hash OR credential = NEW.credential"
    " OR (member_id = NEW.member_id AND (serial = NEW.serial OR (state = 'live' AND NEW.state = 'live'))))"
)
_WHOLE: Final = "NEW.intent_id IS NOT NULL AND NEW.receipt IS NOT NULL AND NEW.chat IS NOT NULL"
_EMPTY: Final = "NEW.intent_id IS NULL AND NEW.receipt IS NULL AND NEW.chat IS NULL"

JUDGES: Final = (
    Judge(
        "poll_paper_stays",
        "poll",
        "UPDATE",
        f"OLD.phase <> 'preparing' AND ({_changed(PAPER)})",
        "the paper of a poll that opened cannot change",
    ),
    Judge(
        "poll_goes_forward",
        "poll",
        "UPDATE",
        f"{_RANK.format(row='NEW')} < {_RANK.format(row='OLD')}",
        "a poll never goes back to an earlier phase",
    ),
    Judge("poll_stays", "poll", "DELETE", "1 = 1", "a poll cannot be deleted"),
    Judge("poll_never_replace", "poll", "INSERT", "EXISTS (SELECT 1 FROM poll)", "a poll cannot be replaced"),
    Judge(
        "pack_stays_what_it_is",
        "pack",
        "UPDATE",
        f"{_changed(('id', 'member_id', 'serial', 'pack_hash'))} OR (OLD.state <> 'live' AND NEW.state = 'live')"
        f" OR (OLD.credential IS NULL AND NEW.credential IS NOT NULL)"
        f" OR {_set_once('credential')} OR {_set_once('issued_entry')} OR {_set_once('ended_entry')}",
        "member, codes, credential and entries of a pack cannot change",
    ),
    Judge("pack_stays", "pack", "DELETE", f"NOT {_COUNTED}", "a pack cannot be deleted"),
    Judge("pack_never_replace", "pack", "INSERT", _TAKEN, "a pack cannot be replaced in its row"),
    Judge(
        "lock_is_whole", "lock", "INSERT", f"NEW.how = 'online' AND NOT ({_WHOLE})", "a lock names paper, ballot, chat"
    ),
    Judge(
        "lock_never_update",
        "lock",
        "UPDATE",
        f"NOT ({_COUNTED} AND {_EMPTY}) OR {_KEPT_OF_LOCK}",
        "lock rows are for ever",
    ),
)
TRUNCATED: Final = ("poll", "pack")


def sqlite() -> list[str]:
    """Give the statements for SQLite."""
    return [
        f'CREATE TRIGGER {judge.name} BEFORE {judge.act} ON "{judge.table}" '
        f"WHEN {judge.when.format(differs='IS NOT')} BEGIN SELECT RAISE(ABORT, '{judge.sentence}'); END"
        for judge in JUDGES
    ]


def postgresql() -> list[str]:
    """Give the statements for PostgreSQL."""
    made = []
    for judge in JUDGES:
        made.append(
            f"CREATE FUNCTION ballotline_{judge.name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF ({judge.when.format(differs='IS DISTINCT FROM')}) THEN "
            f"RAISE EXCEPTION '{judge.sentence}' USING ERRCODE = 'restrict_violation'; "
            f"END IF; RETURN {'OLD' if judge.act == 'DELETE' else 'NEW'}; END $$"
        )
        made.append(
            f'CREATE TRIGGER {judge.name} BEFORE {judge.act} ON "{judge.table}" '
            f"FOR EACH ROW EXECUTE FUNCTION ballotline_{judge.name}()"
        )
    for table in TRUNCATED:
        made.append(
            f'CREATE TRIGGER {table}_never_truncate BEFORE TRUNCATE ON "{table}" '
            "FOR EACH STATEMENT EXECUTE FUNCTION ballotline_never()"
        )
    return made
