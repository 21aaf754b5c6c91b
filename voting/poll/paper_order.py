"""In which order one member sees the options of each question: the same on every way, today and tomorrow."""

import hashlib
import hmac

from voting.model import Order, Poll


def shifts_of(key: bytes, poll: Poll, member_id: int) -> tuple[int, ...]:
    """Give by how many places this member's paper begins later in each question; 0 where the order is fixed.

    `key` is the secret `code_key`: nobody can work out from a paper whose it is.
    """
    return tuple(
        _drawn(key, f"{poll.uuid}|{number}|{member_id}", len(question.options))
        if question.order is Order.ROTATED
        else 0
        for number, question in enumerate(poll.questions)
    )


def _drawn(key: bytes, about: str, options: int) -> int:
    digest = hmac.digest(key, f"ballotline paper order 1|{about}".encode(), hashlib.sha256)
    return int.from_bytes(digest, "big") % options


def in_order(options: int, shift: int) -> list[int]:
    """Give the options' numbers as they are shown."""
    return [(place + shift) % options for place in range(options)]
