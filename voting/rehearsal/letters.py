"""Letters are opened: who votes online is given the codes, the papers of the others are written down as scanned."""

import csv
from collections.abc import Iterator

from voting.post import scanned
from voting.rehearsal.plan import FIRST_KIND, PAPER, REJECTED
from voting.rehearsal.scene import Scene
from voting.rehearsal.voters import Voter


class Letters:
    """The print file, letter by letter; `late_papers` counts papers of members who vote online too."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.late_papers = 0

    def open(self) -> Iterator[Voter]:
        """Yield who votes online, while the papers are written into a file for the post's import."""
        plan = self._scene.plan
        acts = plan.acts(self._scene.random)
        voters = 0
        with (
            self._scene.papers.open("w", encoding="utf-8", newline="") as papers,
            (self._scene.folder / "print.csv").open(encoding="utf-8", newline="") as printed,
        ):
            scans = csv.writer(papers)
            scans.writerow(scanned.COLUMNS)
            for letter, act in zip(csv.DictReader(printed), acts, strict=True):
                pack_code, sends_paper = letter["pack_code"], act in {PAPER, REJECTED}
                if act >= FIRST_KIND:
                    voters += 1
                    yield Voter(voters, f"{pack_code} {letter['vote_code']}", act - FIRST_KIND)
                    sends_paper = voters % plan.one_in_attempts == 0
                    self.late_papers += sends_paper
                if sends_paper:
                    status = scanned.Status.REJECTED if act == REJECTED else scanned.Status.RECEIVED
                    scans.writerow([pack_code, self._scene.clock().isoformat(), status])
