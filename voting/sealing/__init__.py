"""The election key, its shares, and sealed ballots. Begin at `seal`.

May import: voting.audit.
"""
