"""Counting, in one step or in two: `begin`, then the trustees decrypt at home, then `finish`. Begin at `count`.

The order is what makes it safe to be cut off anywhere, and impossible to count behind anybody's back: first the chain
says what the encrypted tally is and which ballots and credentials it is of, and the head is signed; only then is
anything decrypted. What is published was verified before it is committed, and is committed before it gets its name.
Begun again it ends the same: the decryptions that were counted are kept with the result.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from voting.ballots.combination import Combined, combine
from voting.ballots.written import File
from voting.count.bundle import Bundle, Counted, Ending, write_bundle
from voting.count.entries import close_ballots, keep_result, kept_decryptions
from voting.count.folder import begin_part, publish, refuse_taken
from voting.count.readiness import papers_of, ready_poll, refuse_changed, refuse_small, said
from voting.count.shares import decrypt_all, read_shares
from voting.count.stored import ballots_by_later_credentials, ballots_stored
from voting.count.tally import Progress, Tallied, write_result, write_tally
from voting.model import By, Poll
from voting.poll.counting import BEGUN
from voting.poll.election import election_of, trustees_of
from voting.refusals import CannotCount
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.trustees.disk import read_files
from voting.verify import format as form
from voting.verify.verify import verify

VERIFYING: Final = "Verifying"
