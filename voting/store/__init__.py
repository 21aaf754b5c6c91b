"""The database on either engine, and statements that serve many rows at once; begin at `database`.

May import: voting.refusals.
"""
