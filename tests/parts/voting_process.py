"""Votes in a process of its own, to be raced or ended with kill -9: `python voting_process.py told.json`.

With "vote" every letter votes, many at a time, and is told of on stdout only when its answer is there. With "race"
one letter's papers are opened first; everybody presses at once when a line comes in.
"""

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from electorate import press

from voting import secrets_file
from voting.audit.signer import Signer
from voting.refusals import Refusal
from voting.store.database import Database
from voting.votes.cast import CastOutcome
from voting.votes.checks import Checks
from voting.votes.clerk import Clerk
from voting.votes.right_codes import CodesGood, Purpose


def say(*words: object) -> None:
    """Tell the parent; flushed, for the next moment may be the last."""
    print(*words, flush=True)


class Booth:
    """Where the letters of `told` vote."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.now = datetime.fromisoformat(told["now"])
        secrets = secrets_file.load(Path(told["secrets"]))
        self.database = Database(told["database_url"], Signer.beside(secrets, Path(told["secrets"])))
        self.checks, self.clerk = Checks(self.database, secrets), Clerk(self.database, secrets)

    async def gives_codes(self, letter: dict[str, Any], chat: str) -> CodesGood:
        await self.checks.pack_code(letter["pack_code"], chat=chat, now=self.now)
        return await self.checks.both_codes(
            letter["pack_code"],
            letter["vote_code"],
            chat=chat,
            purpose=Purpose.VOTE,
            flow="flow",
            warned=False,
            now=self.now,
        )

    async def vote(self, told: dict[str, Any]) -> None:
        """Have every letter vote, `waiting` at a time: with the paper it opened before, if it did."""
        letters = iter(told["letters"])

        async def some() -> None:
            for letter in letters:
                await self.votes(letter, told["papers"].get(str(letter["member_id"])))

        async with asyncio.TaskGroup() as group:
            for _ in range(told["waiting"]):
                group.create_task(some())
        say("DONE")

    async def votes(self, letter: dict[str, Any], paper: str | None) -> None:
        chat = f"telegram:{letter['member_id']}"
        if paper is None:
            good = await self.gives_codes(letter, chat)
            assert good.intent is not None, "a vote stands that nobody opened a paper for"
            paper = good.intent.id
            say("PAPER", letter["member_id"], paper)
        outcome = await self.clerk.cast(press(paper, chat, letter["member_id"] % 2), self.now)
        say("CONFIRMED", letter["member_id"], outcome.receipt)

    async def race(self, told: dict[str, Any]) -> None:
        """Open a paper for each of the chats, and press all of them together."""
        letter = told["letters"][0]
        presses = []
        for place, chat in enumerate(told["chats"]):
            good = await self.gives_codes(letter, chat)
            assert good.intent is not None
            presses.append(press(good.intent.id, chat, place % 2))
        say("READY")
        await asyncio.to_thread(sys.stdin.readline)
        answers = await asyncio.gather(*(self.clerk.cast(one, self.now) for one in presses), return_exceptions=True)
        for one, answer in zip(presses, answers, strict=True):
            if isinstance(answer, CastOutcome):
                say("FRESH" if answer.fresh else "AGAIN", one.chat, answer.receipt)
            elif isinstance(answer, Refusal):
                say("REFUSED", one.chat, type(answer).__name__)
            else:
                raise answer


async def main(told: dict[str, Any]) -> None:
    """Do the job that was told."""
    booth = Booth(told)
    await (booth.race(told) if told["job"] == "race" else booth.vote(told))
    await booth.database.close()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
