"""Pack codes, vote codes and words: how they are made, written, read and hashed. Begin at `codes`.

May import: nothing.
"""
