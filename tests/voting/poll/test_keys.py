"""Who the trustees are is on the chain, and with a ceremony's key each of them says yes to exactly this election."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from prepared import GWEN, NOW, POLL, SECRETS, WINDOW, chain_kinds, line, make_poll, rows, take_roll, write_roll
from sqlalchemy import select
from trustee_town import Town, dealt

from voting import schema
from voting.ballots.group import write_point
from voting.ballots.trustee_refusals import FileDamaged, FileForeign
from voting.ballots.written import File
from voting.model import Phase, Poll
from voting.packs.packs import Printing, issue
from voting.poll import polls
from voting.poll.election import election_of, fingerprint_of, paper_of, trustees_of
from voting.poll.keys import CEREMONY, DEALER, keep_yes, set_trustees, trustees_without_yes
from voting.refusals import NobodyHasToAgree, NoElectionKey, PollAlreadyOpen, PollNotReady
from voting.store.database import Database
from voting.trustees.agreement import agree

OTHER_WORDS = {"en-GB": "Once only.", "cy": "Unwaith yn unig."}


class Office:
    """A poll whose key three trustees made together, two of whom decrypt."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.town = Town(folder / "homes").begin().deal().finish()

    async def prepares(self) -> None:
        await make_poll(self.database)
        await take_roll(self.database, write_roll(self.folder / "roll.csv", [line("1")]))
        await issue(self.database, SECRETS, Printing(self.folder / "print.csv"), by=GWEN)
        async with self.database.writing() as connection:
            await set_trustees(connection, self.town.assembled().trustees.data, CEREMONY, by=GWEN)

    async def poll(self) -> Poll:
        async with self.database.reading() as connection:
            return await polls.load(connection)

    async def yes_of(self, trustee: int, poll: Poll | None = None) -> File:
        """Say yes at home, each time to the poll as it is now."""
        poll = poll or await self.poll()
        out = self.folder / f"yes-{trustee}-{election_of(poll).hash[:8].replace('/', '_')}.json"
        share = self.town.shares[trustee - 1]
        given = {"election": election_of(poll), "trustees": trustees_of(poll), "signing_key": poll.signing_key}
        agree(share, out, **given)
        return File(out.name, out.read_bytes())

    async def keeps(self, *files: File) -> list[int]:
        async with self.database.writing() as connection:
            return await keep_yes(connection, files, by=GWEN)

    async def waits_for(self) -> list[int]:
        async with self.database.reading() as connection:
            return await trustees_without_yes(connection, await polls.load(connection))

    async def opens(self) -> Poll:
        async with self.database.writing() as connection:
            return await polls.open_poll(connection, by=GWEN)


@pytest.fixture
async def office(database: Database, tmp_path: Path) -> Office:
    made = Office(database, tmp_path)
    await made.prepares()
    return made


async def test_the_chain_names_the_trustees_of_a_key(database: Database) -> None:
    await make_poll(database)
    trustees = dealt().trustees

    async with database.writing() as connection:
        await set_trustees(connection, trustees.data, DEALER, by=GWEN)
        await set_trustees(connection, trustees.data, DEALER, by=GWEN)  # again: nothing changes

    bodies = await rows(database, schema.chain, schema.chain.c.seq, schema.chain.c.kind, schema.chain.c.body)
    assert [body for _, kind, body in bodies if kind == "trustees_set"] == [
        {
            "trustees": 3,
            "threshold": 2,
            "trustees_sha256": trustees.digest,
            "key": write_point(trustees.election_key),
            "kind": "dealer",
        }
    ]
    async with database.reading() as connection:
        poll = await polls.load(connection)
    assert (poll.trustees_file, poll.key_kind) == (trustees.data, "dealer")


async def test_a_damaged_file_of_trustees_is_no_key(database: Database) -> None:
    await make_poll(database)

    async with database.writing() as connection:
        with pytest.raises(FileDamaged, match=r"trustees\.json is damaged"):
            await set_trustees(connection, dealt().trustees.data[:-1], DEALER, by=GWEN)

    async with database.reading() as connection:
        assert (await polls.load(connection)).trustees_file is None


async def test_the_poll_opens_when_every_trustee_has_said_yes_to_it(office: Office) -> None:
    """Files in any order and twice; each yes is on the chain once, and whoever is missing is named."""
    assert await office.waits_for() == [1, 2, 3]
    assert await office.keeps(await office.yes_of(3), await office.yes_of(1), await office.yes_of(3)) == [1, 3]
    with pytest.raises(PollNotReady, match="the yes of trustee 2 to exactly this election"):
        await office.opens()

    assert await office.keeps(await office.yes_of(2), await office.yes_of(1)) == [1, 2, 3]
    opened = await office.opens()

    assert opened.phase is Phase.OPEN
    assert (await chain_kinds(office.database)).count("trustee_agreed") == 3
    bodies = await rows(office.database, schema.chain, schema.chain.c.seq, schema.chain.c.kind, schema.chain.c.body)
    [first, *_] = [body for _, kind, body in bodies if kind == "trustee_agreed"]
    assert first == {"trustee": 3, "yes": (await office.yes_of(3, replace(opened, paper=None))).data.decode()}
    with pytest.raises(PollAlreadyOpen):
        await office.keeps(await office.yes_of(1))


@pytest.mark.parametrize("changed", ["rule", "title", "key"])
async def test_a_yes_is_void_when_the_election_changes(office: Office, changed: str) -> None:
    """The rule's sentence, the poll file, the key: trustees have agreed to what they saw, and to nothing else."""
    await office.keeps(*[await office.yes_of(trustee) for trustee in (1, 2, 3)])
    old = await office.yes_of(1)
    async with office.database.writing() as connection:
        if changed == "rule":
            await polls.change_rule(connection, OTHER_WORDS, by=GWEN)
        elif changed == "title":
            await polls.init(connection, replace(POLL, title="Another"), WINDOW, SECRETS, by=GWEN)
        else:
            await set_trustees(connection, dealt().trustees.data, CEREMONY, by=GWEN)

    assert await office.waits_for() == [1, 2, 3]
    with pytest.raises(PollNotReady, match="the yes of trustee 1, 2, 3"):
        await office.opens()
    with pytest.raises(FileForeign, match="it is a yes to something else"):
        await office.keeps(old)


async def test_one_file_that_is_wrong_and_none_is_taken(office: Office) -> None:
    good, cut = await office.yes_of(1), await office.yes_of(2)

    for data, refusal in ((cut.data[:-2], FileDamaged), (b"{}", FileDamaged)):
        with pytest.raises(refusal):
            await office.keeps(good, File("yes-2.json", data))
    claimed = json.loads(cut.data) | {"index": 3}
    with pytest.raises(FileDamaged, match="proof"):
        await office.keeps(good, File("yes-3.json", json.dumps(claimed, separators=(",", ":")).encode()))

    assert await office.waits_for() == [1, 2, 3]
    assert "trustee_agreed" not in await chain_kinds(office.database)


async def test_nobody_has_to_agree_to_a_dealer_s_key(database: Database) -> None:
    await make_poll(database)
    async with database.writing() as connection:
        assert await trustees_without_yes(connection, await polls.load(connection)) == []
        with pytest.raises(NoElectionKey):
            await keep_yes(connection, [File("yes.json", b"{}")], by=GWEN)
        await set_trustees(connection, dealt().trustees.data, DEALER, by=GWEN)

        with pytest.raises(NobodyHasToAgree):
            await keep_yes(connection, [], by=GWEN)
        assert await trustees_without_yes(connection, await polls.load(connection)) == []


async def test_the_opening_binds_all_that_a_ballot_rests_on(office: Office) -> None:
    await office.keeps(*[await office.yes_of(trustee) for trustee in (1, 2, 3)])
    before = await office.poll()

    opened = await office.opens()

    async with office.database.reading() as connection:
        last = select(schema.chain.c.body).order_by(schema.chain.c.seq.desc()).limit(1)
        body = await connection.scalar(last)
    loaded = await office.poll()
    assert loaded == opened
    assert (loaded.paper, loaded.opened_at) == (paper_of(before), NOW)
    assert body == {
        "opens_at": POLL.opens_at.isoformat(),
        "closes_at": POLL.closes_at.isoformat(),
        "election": election_of(before).hash,
        "paper": hashlib.sha256(paper_of(before)).hexdigest(),
        "trustees": trustees_of(before).digest,
        "fingerprint": fingerprint_of(before),
    }
