"""Ballots that nobody opens: Belenios's protocol 1, and all that strangers check. Begin at `ballot` and `trustees`.

Group, proofs, papers, ballots, credentials; and what trustees publish: their key, their yes to an election, the
encrypted tally, decryptions, the result.

May import: nothing.
"""
