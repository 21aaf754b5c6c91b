"""A whole poll at full size in a temporary database. Begin at `rehearsal`.

May import: voting.count, voting.packs.
"""
