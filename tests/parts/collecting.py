"""How the tests are found: by several workers at once, and in one order."""

import gc
import os
from collections.abc import Generator
from pathlib import Path

import pytest

# Where each test runs on both engines whatever else: what is locked, stored, handed over or told for good.
BOTH_ENGINES = ("voting/votes", "voting/store", "voting/post", "messages/ledger", "bot/inbox", "stories")
TESTS = Path(__file__).parent.parent


class Collecting:
    """What conftest.py registers with pytest, in each worker and where there is none."""

    def __init__(self, config: pytest.Config) -> None:
        worker: dict[str, str | int] = getattr(config, "workerinput", {})
        self._number = int(str(worker.get("workerid", "gw0")).removeprefix("gw"))
        self._count = int(worker.get("workercount", 1))

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        """What is imported stays: the garbage collector need not look through it again and again."""
        gc.disable()
        found = yield
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)  # and tests make much that goes at once
        gc.enable()
        return found

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Each worker begins at another place in every folder.

        In a fresh clone each module of tests is compiled by whoever imports it first. Workers that all went the same
        way would all compile the same module at the same time.
        """
        report = yield
        if isinstance(collector, pytest.Directory):
            begin = len(report.result) * self._number // self._count
            report.result = [*report.result[begin:], *report.result[:begin]]
        return report

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """The longest tests begin first, so that no worker is left with one at the end.

        Outside of BOTH_ENGINES a whole run takes SQLite alone, to end in time; `make test ENGINES=all` takes both, and
        so does whoever names files.
        """
        whole_run = all(Path(name).is_dir() for name in config.args)
        if whole_run and os.environ.get("BALLOTLINE_ENGINES") != "all" and os.environ.get("BALLOTLINE_SOAK") != "1":
            here = {item.nodeid for item in items}
            twins = [item for item in items if _is_twin(item, here)]
            config.hook.pytest_deselected(items=twins)
            left_out = set(twins)
            items[:] = [item for item in items if item not in left_out]
        if self._count > 1:
            items.sort(key=lambda item: item.path)  # the controller insists on one order
        items.sort(key=lambda item: item.get_closest_marker("crash") is None)


def _is_twin(item: pytest.Item, here: set[str]) -> bool:
    """Whether a test is on PostgreSQL what another one `here` is on SQLite, and one of them is enough for every day."""
    name, bracket, values = item.nodeid.partition("[")
    on_sqlite = name + bracket + values.replace("postgresql", "sqlite")
    folder = item.path.relative_to(TESTS).as_posix()
    return on_sqlite != item.nodeid and on_sqlite in here and not folder.startswith(BOTH_ENGINES)
