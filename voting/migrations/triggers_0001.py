"""The judges of the first migration, frozen with it: what no statement may do, on either engine."""

from typing import Final

from voting.migrations import poll_triggers_0001

FOREVER: Final = ("lock", "ballot", "attempt", "chain", "head", "result")

# REPLACE deletes the old row without asking a delete trigger (unless recursive_triggers is on), so a row whose
# key is taken is refused before it is tried: https://sqlite.org/lang_conflict.html
TAKEN: Final = {
    "lock": "member_id = NEW.member_id OR pack_id = NEW.pack_id OR intent_id = NEW.intent_id OR receipt = NEW.receipt",
    "ballot": "credential = NEW.credential OR digest = NEW.digest",
    "attempt": "id = NEW.id OR (member_id = NEW.member_id AND occasion = NEW.occasion)",
    "chain": "seq = NEW.seq OR hash = NEW.hash",
    "head": "seq = NEW.seq",
    "result": "only = NEW.only",
}


def sqlite() -> list[str]:
    """Give the statements for SQLite."""
    made = []
    for table in FOREVER:
        for act in ("DELETE",) if table == "lock" else ("UPDATE", "DELETE"):  # a lock forgets after the count
            made.append(
                f'CREATE TRIGGER {table}_never_{act.lower()} BEFORE {act} ON "{table}" '
                f"BEGIN SELECT RAISE(ABORT, '{table} rows are for ever'); END"
            )
        made.append(
            f'CREATE TRIGGER {table}_never_replace BEFORE INSERT ON "{table}" '
            f'WHEN EXISTS (SELECT 1 FROM "{table}" WHERE {TAKEN[table]}) '
            f"BEGIN SELECT RAISE(ABORT, '{table} rows are for ever'); END"
        )
    return [*made, *poll_triggers_0001.sqlite()]


def postgresql() -> list[str]:
    """Give the statements for PostgreSQL."""
    made = [
        (
            "CREATE FUNCTION ballotline_never() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% rows are for ever', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"
        ),
    ]
    for table in FOREVER:
        act = "DELETE" if table == "lock" else "UPDATE OR DELETE"  # as above
        made.append(
            f'CREATE TRIGGER {table}_never_change BEFORE {act} ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION ballotline_never()"
        )
    for table in FOREVER:
        made.append(
            f'CREATE TRIGGER {table}_never_truncate BEFORE TRUNCATE ON "{table}" '
            "FOR EACH STATEMENT EXECUTE FUNCTION ballotline_never()"
        )
    return [*made, *poll_triggers_0001.postgresql()]
