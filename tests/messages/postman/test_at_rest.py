"""A service with nothing to do asks the database seldom, and each time with few statements."""

from prepared import NOW
from sqlalchemy import event

from messages.pace.pace_keeper import PaceKeeper
from messages.pace.pacer import Pacer
from messages.postman.line import IDLE_LOOKS, IDLE_TIMES, Tempo
from voting.store.database import Database


def test_after_many_looks_in_vain_a_line_looks_less_often() -> None:
    tempo = Tempo(idle_seconds=0.2)
    assert [tempo.rests_seconds(looks) for looks in (0, IDLE_LOOKS, IDLE_LOOKS + 1)] == [0.2, 0.2, 0.2 * IDLE_TIMES]


async def test_a_beat_of_who_is_alone_takes_three_statements(database: Database) -> None:
    keeper = PaceKeeper(database, "telegram", Pacer(28.0), process="one", now=lambda: NOW)
    await keeper.beat()
    said: list[str] = []

    def hear(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement.partition(" ")[0])

    event.listen(database.engine.sync_engine, "before_cursor_execute", hear)
    await keeper.beat()

    assert keeper.holding
    assert said == ["SELECT", "UPDATE", "SELECT"]
