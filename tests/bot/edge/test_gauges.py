"""Numbers that several workers share through files."""

from pathlib import Path

import pytest

from bot.edge import gauges


def test_a_file_that_a_worker_is_just_making_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gauge_livemostrecent_1.db").touch()
    monkeypatch.setenv(gauges.METRICS_DIRECTORY, str(tmp_path))

    assert gauges.exposition() == b""


def test_one_process_shows_its_own_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(gauges.METRICS_DIRECTORY, raising=False)

    assert b"process_cpu_seconds_total" in gauges.exposition()


def test_a_worker_is_told_where_and_keeps_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")

    told = gauges.shared_in("/folder")

    assert (told[gauges.METRICS_DIRECTORY], told["HOME"]) == ("/folder", "/somewhere")
