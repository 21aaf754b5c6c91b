"""Pack codes, vote codes and words: how they are made, written, read and hashed; begin at `codes`.

May import: nothing of ours.
"""
