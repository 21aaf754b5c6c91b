"""Words kept whole in tests/data/, so that a change that should alter none of them shows that it does not.

To renew one: delete its file, run its test, read what it wrote, commit it.
"""

from difflib import unified_diff
from pathlib import Path

DATA = Path(__file__).parents[1] / "data"


def assert_as_kept(name: str, said: str) -> None:
    """Insist that `said` is what tests/data/`name` holds; a file that is missing is written, and the test fails."""
    kept = DATA / name
    if not kept.exists():
        kept.write_text(said, encoding="utf-8")
        raise AssertionError(f"{kept} was missing and is written now: read it, then run the test again")

    was, now = kept.read_text(encoding="utf-8").splitlines(), said.splitlines()
    changed = "\n".join(unified_diff(was, now, str(kept), "now", lineterm="", n=1))

    assert was == now, changed
