"""What Ballotline does in a second, beside a peer or the raw limit of this machine, in one run: `make bench`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "parts"))  # what tests stand on: electorate.py, prepared.py
