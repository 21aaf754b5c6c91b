"""The count: right, published only when it verifies, and the same however often it is cut off."""

from pathlib import Path

import pytest
from counted_town import CountedTown, open_town
from counting import close, share_files
from prepared import GWEN, SECRETS

from voting.count.count import count
from voting.store.database import Database


@pytest.fixture
async def closed(database: Database) -> CountedTown:
    """Twelve members: seven voted for the first option, four for the second, one did not; closed."""
    town = await open_town(database)
    await town.votes(town.letters[:5], 0)
    await town.votes(town.letters[5:11], 1)
    await close(town)
    return town


async def test_the_count_is_right(closed: CountedTown, tmp_path: Path) -> None:
    shares = share_files(closed, tmp_path / "shares")
    result = await count(closed.database, shares, tmp_path / "out", secrets=SECRETS, by=GWEN)
    assert [(row["option"], row["votes"]) for row in result["options"]] == [("North", 5), ("South", 6)]
    print(sorted(str(p.relative_to(tmp_path)) for p in (tmp_path/"out").rglob("*")))
    print((tmp_path/"out"/"README.txt").read_text())
