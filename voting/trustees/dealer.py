"""The election key from one dealer: the whole ceremony on one machine, which for that moment could decrypt alone.

Shares and published trustees are the same kind of files as from a ceremony; nothing in them says which it was.
"""

from pathlib import Path
from typing import NamedTuple

from voting.ballots.trustees import Trustees
from voting.ballots.written import File
from voting.trustees.assemble import publish
from voting.trustees.certificates import Ceremony, check_threshold, convene
from voting.trustees.deals import Deals, collect, open_letters, write_deal
from voting.trustees.disk import write_once
from voting.trustees.handovers import make_verification_key
from voting.trustees.secret_file import Secret, make_secret
from voting.trustees.shares import Share, write_share


class Dealt(NamedTuple):
    """Every trustee's share, and the published trustees."""

    shares: tuple[Share, ...]
    trustees: Trustees


def deal_all(of: int, threshold: int) -> Dealt:
    """Make the election key for `of` trustees, any `threshold` of whom decrypt; raises BadThreshold."""
    check_threshold(1, of, threshold)
    secrets = [make_secret(index, of, threshold) for index in range(1, of + 1)]
    ceremony = convene([File(f"certificate {one.keys.index}", one.certificate) for one in secrets])
    deals = collect([_deal(one, ceremony) for one in secrets], ceremony)
    shares = tuple(_share(one, ceremony, deals) for one in secrets)
    pairs = zip(secrets, shares, strict=True)
    keys = [make_verification_key(secret.signing_key, share.secret, share.key) for secret, share in pairs]
    return Dealt(shares, publish(ceremony, deals, keys).trustees)


def write_dealt(directory: Path, dealt: Dealt) -> list[Path]:
    """Write each share (mode 0600) and trustees.json; raises FileTaken rather than overwrite another."""
    paths = [write_share(directory, share) for share in dealt.shares]
    published = directory / "trustees.json"
    write_once(published, dealt.trustees.data)
    return [*paths, published]


def _deal(secret: Secret, ceremony: Ceremony) -> File:
    data = write_deal(secret.signing_key, secret.keys.index, secret.polynomial, ceremony)
    return File(f"polynomial {secret.keys.index}", data)


def _share(secret: Secret, ceremony: Ceremony, deals: Deals) -> Share:
    keys = secret.keys
    part = open_letters(secret.decryption_key, keys.index, ceremony, deals)
    return Share(keys.index, keys.of, keys.threshold, deals.election_key, part)
