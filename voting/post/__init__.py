"""Votes by post: scanned envelopes and counted papers. Begin at `scans`.

May import: voting.votes, voting.imports, voting.verify.
"""
