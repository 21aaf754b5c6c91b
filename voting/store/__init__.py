"""The database on either engine, and statements that serve many rows at once. Begin at `database`.

May import: voting.refusals.
"""
