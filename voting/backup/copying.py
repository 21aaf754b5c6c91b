"""Every table from one database into an empty one, row by row, from one engine to the same or the other.

Nothing but rows that are there now is read, so free pages, dead rows and logs stay behind. Rows are written in the
order of their primary keys, which says nothing of the order in which they came.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import Column, MetaData, Table, func, insert, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from voting.backup.withheld import Withheld
from voting.refusals import Fault
from voting.store.columns import METADATA
from voting.store.database import Database

ROWS: Final = 2_000  # at a time
NOT_OURS: Final = frozenset({"alembic_version", "ballotline_backup"})  # of the migration, and of `file`

Progress = Callable[[str, int, int], None]  # table, rows done, of how many


class TablesUnknown(Fault):
    """The database has tables or columns that this program would forget."""


def quiet(_table: str, _done: int, _of: int) -> None:
    """Tell nobody how far it is."""


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[AsyncConnection]:
    """Yield a connection that sees one committed state until the end, while others write."""
    async with database.engine.connect() as connection:
        if not database.is_sqlite:  # there any reading transaction is one
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


async def copy_tables(
    source: AsyncConnection, target: AsyncConnection, withheld: Sequence[Withheld] = (), progress: Progress = quiet
) -> dict[str, int]:
    """Copy every table into the target, whose tables are empty; give the number of rows in each.

    Both are at the same revision: ours, or an older one, which lacks some of our tables and columns. The target's
    judges rest meanwhile: they judge acts, and this is none.
    """
    columns = await _columns_known(source)
    rules = {rule.table.name: rule for rule in withheld}
    async with _judges_rest(target):
        copied = {}
        for table in METADATA.sorted_tables:
            if table.name in columns:
                rule = rules.get(table.name, Withheld(table))
                copied[table.name] = await _copy(source, target, rule, columns[table.name], progress)
    return copied


async def _columns_known(source: AsyncConnection) -> dict[str, list[Column[Any]]]:
    """Give the columns of each table that is there; TablesUnknown when this program does not know all of them."""
    found = await source.run_sync(lambda connection: inspect(connection).get_multi_columns())
    there = {table: {str(column["name"]) for column in columns} for (_, table), columns in found.items()}
    ours = {table.name: set(table.columns.keys()) for table in METADATA.sorted_tables}
    unknown = {
        name if name not in ours else f"{name} ({', '.join(sorted(columns - ours[name]))})"
        for name, columns in there.items()
        if name not in NOT_OURS and columns - ours.get(name, set())
    }
    if unknown:
        raise TablesUnknown(f"no part of this program knows the tables {', '.join(sorted(unknown))}")
    tables = METADATA.tables
    return {name: [tables[name].c[column] for column in sorted(there[name])] for name in ours.keys() & there.keys()}


async def _copy(
    source: AsyncConnection, target: AsyncConnection, rule: Withheld, columns: list[Column[Any]], progress: Progress
) -> int:
    table, statement, counting = rule.table, select(*columns), select(func.count()).select_from(rule.table)
    into = Table(table.name, MetaData(), *(Column(column.name, column.type) for column in columns))  # no defaults
    if rule.rows is not None:
        statement, counting = statement.where(rule.rows), counting.where(rule.rows)
    number, done = int(await source.scalar(counting) or 0), 0
    statement = statement.order_by(*table.primary_key.columns)
    result = await source.stream(statement, execution_options={"yield_per": ROWS})
    async for part in result.mappings().partitions():
        rows: list[dict[str, Any]] = [dict(row) for row in part]
        for row in rows:
            row.update({name: change(row[name]) for name, change in rule.values.items()})
        await target.execute(insert(into), rows)
        done += len(rows)
        progress(table.name, done, number)
    if target.dialect.name == "postgresql":
        await _count_on(target, table)
    return done


async def _count_on(target: AsyncConnection, table: Table) -> None:
    """Have the next row that counts by itself take the number after the last."""
    column = table.autoincrement_column
    if column is None:
        return
    sequence = func.pg_get_serial_sequence(f'"{table.name}"', column.name)
    last = await target.scalar(select(func.max(column)))
    if last is not None:
        await target.execute(select(func.setval(sequence, last)))


@asynccontextmanager
async def _judges_rest(target: AsyncConnection) -> AsyncIterator[None]:
    """Take the triggers away while rows come in whose story is over; in the same transaction they are back."""
    if target.dialect.name == "postgresql":
        await _switch(target, "DISABLE")
        yield
        await _switch(target, "ENABLE")
        return
    judges = (await target.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))).all()
    for judge in judges:
        await target.exec_driver_sql(f'DROP TRIGGER "{judge.name}"')
    yield
    for judge in judges:
        await target.exec_driver_sql(judge.sql)


async def _switch(target: AsyncConnection, word: str) -> None:
    for table in METADATA.sorted_tables:
        await target.exec_driver_sql(f'ALTER TABLE "{table.name}" {word} TRIGGER USER')
