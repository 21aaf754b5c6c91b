"""Packs: issued, printed, replaced, and what the mailing house says of them. Begin at `packs`.

May import: voting.roll, voting.codes.
"""
