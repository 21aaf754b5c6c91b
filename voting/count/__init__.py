"""The count: the encrypted tally, the archive, the bundle, the result. Begin at `count`.

May import: voting.ballots, voting.packs, voting.poll, voting.post, voting.trustees, voting.verify.
"""
