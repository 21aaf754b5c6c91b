"""What a trustee's secret file was used for: written beside it once, durable, and never changed.

The record of `share-1-of-3.json` called "tally" is `share-1-of-3.json.tally`. The secret file itself is locked
meanwhile, so that two commands at the same moment take turns.
"""

import fcntl
from pathlib import Path

from voting.trustees.disk import SECRET, read_file, write_once


def remember(secret: Path, record: str, value: str) -> str:
    """Write `value` as the record, unless there is one; give what the record holds, durable when this returns.

    Whoever gets back another value than their own must stop.
    """
    path = secret.with_name(f"{secret.name}.{record}")
    with secret.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        kept = read_file(path).data.decode("utf-8", "replace") if path.exists() else value
        write_once(path, kept.encode(), SECRET)
    return kept
