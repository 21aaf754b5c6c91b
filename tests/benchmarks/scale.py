"""What the benches leave behind for docs/scale.md: figures of one vote, one message, one member, kept as JSON.

`BENCH_KEEP=1` writes them; the page's table is made of them, and a test makes it again.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

KEPT: Final = Path(__file__).parents[1] / "data" / "scale.json"


def keep(part: str, figures: Mapping[str, float]) -> None:
    """Keep a part's figures, in place of those that it left before, if asked to."""
    if os.environ.get("BENCH_KEEP") != "1":
        return
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    kept[part] = {name: float(f"{figure:.4g}") for name, figure in figures.items()}
    KEPT.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
