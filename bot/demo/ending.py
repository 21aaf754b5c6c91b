"""How the story ends: the close, a tally of sealed ballots, two trustees who decrypt at home, the result verified."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bot.demo.ballot import VIA, Ballot
from bot.demo.stage import Stage
from bot.member.closing import close_poll
from voting.count.count import begin, finish
from voting.model import By
from voting.post.papers import import_count
from voting.trustees.decrypt import Verified, decrypt
from voting.verify.report import Asked
from voting.verify.verify import verify


@dataclass(frozen=True, slots=True)
class Ending:
    """Plays it: `shares` are the trustees' files, `mark` is Ada's receipt, `page_mark` Carys's.

    `papers` came by post for either option.
    """

    ballot: Ballot
    stage: Stage
    shares: list[Path]
    mark: str
    ballots: int
    papers: tuple[int, int]
    page_mark: str

    async def play(self) -> None:
        """Play every scene; StoryBroken or a refusal when one goes wrong."""
        head = await self._close_and_tally()
        await self._result(await self._trustees_decrypt(head))
        await self._ada_finds_her_mark()

    @property
    def _by(self) -> By:
        return By("Gwen", VIA, self.ballot.clock())

    @property
    def _bundle(self) -> Path:
        return self.ballot.folder / "result"

    async def _close_and_tally(self) -> int:
        """Give the number of the chain's last entry, which the trustees read to each other."""
        self.stage.scene("Friday, five o'clock: close, and the tally begins")
        self.stage.command("poll close")
        await close_poll(self.ballot.house, by=self._by)
        self.stage.fact("nothing is taken in any more; no step from here on opens a ballot")
        path = self.ballot.folder / "postal-count.csv"
        rows = f"option,votes\nRowan Ellis,{self.papers[0]}\nMorgan Hale,{self.papers[1]}\n"
        path.write_text(rows, encoding="utf-8")
        self.stage.command("postal count postal-count.csv")
        await import_count(self.ballot.database, path, by=self._by)
        self.stage.command("tally begin --out result")
        begun = await begin(self.ballot.database, self._bundle, secrets=self.ballot.house.secrets, by=self._by)
        self.stage.check(begun["n"] == self.ballots, "every ballot is in the tally")
        self.stage.fact(f"{begun['n']} sealed ballots are multiplied into two sums, still sealed; all is verified")
        return int(begun["head"]["seq"])

    async def _trustees_decrypt(self, head: int) -> list[Path]:
        self.stage.scene("Two trustees decrypt at home")
        self.stage.fact("each is sent the folder without a result; they read its last head to each other")
        return [await asyncio.to_thread(self._decrypts, head, *trustee) for trustee in ((1, "Iwan"), (3, "Sioned"))]

    def _decrypts(self, head: int, number: int, name: str) -> Path:
        """Do as `trustee decrypt` does: all is verified first, then one tally is decrypted, once."""
        share, out = self.shares[number - 1], self.ballot.folder / f"decryption-{number}.json"
        self.stage.command(f"trustee decrypt result --share {share.name} --out {out.name}")
        report = verify(self._bundle)
        self.stage.check(report.ok, "a trustee decrypts nothing that does not verify")
        self.stage.check(report.figures.head_seq == head, "every trustee is given the same chain")
        decrypt(share, out, lambda: Verified(report.election, report.trustees, report.tally))
        self.stage.says(name, f"verified {report.figures.ballots} ballots, decrypted the two sums, sends {out.name}")
        return out

    async def _result(self, decryptions: list[Path]) -> None:
        self.stage.scene("The result")
        self.stage.command(f"tally finish --decryption {' '.join(path.name for path in decryptions)} --out result")
        result = await finish(
            self.ballot.database,
            decryptions,
            self._bundle,
            secrets=self.ballot.house.secrets,
            by=self._by,
        )
        for row in result["questions"][0]["options"]:
            self.stage.fact(f"{row['option']:<12} {row['votes']:>3}  ({row['online']} online, {row['post']} by post)")
        self.stage.fact(f"turnout {result['turnout_with_rejected']} %")
        self.stage.check(result["votes"] == self.ballots + sum(self.papers), "every vote is counted once")
        self.stage.command("verify result")
        report = await asyncio.to_thread(verify, self._bundle)
        self.stage.check(report.ok, "the bundle verifies")
        for check in report.checks:
            self.stage.fact(f"{check.name}: {check.detail}" if check.detail else check.name)
        self.stage.fact(f"fingerprint {report.figures.fingerprint}")

    async def _ada_finds_her_mark(self) -> None:
        self.stage.scene("Ada looks for her mark")
        self.stage.says("Ada", "verifies the published folder on her own computer, with the receipt from her chat")
        self.stage.command(f"verify result --receipt {self.mark}")
        report = await asyncio.to_thread(verify, self._bundle, asked=Asked(receipt=self.mark))
        self.stage.check(report.ok, "her mark is among the ballots")
        found = report.checks[-1]
        self.stage.fact(f"{found.name}: {found.detail}")
        self.stage.says("Carys", "looks for hers, which the voting page gave her")
        report = await asyncio.to_thread(verify, self._bundle, asked=Asked(receipt=self.page_mark))
        self.stage.check(report.ok, "a vote from the page is among the ballots like one from the chat")
        self.stage.fact(f"{report.checks[-1].name}: {report.checks[-1].detail}")
