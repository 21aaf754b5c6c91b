"""Checks a published bundle, alone. Begin at `verify`.

May import: voting.ballots.
"""
