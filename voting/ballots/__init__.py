"""Ballots that nobody opens: group, proofs, papers, ballots, credentials of Belenios's protocol 1. Begin at `ballot`.

May import: nothing.
"""
