"""Votes by post: scanned envelopes and counted papers; begin at `scans`.

May import: voting.votes and what it may import.
"""
