"""A whole poll at full size in a temporary database; begin at `rehearsal`.

May import: all of voting.
"""
