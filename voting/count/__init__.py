"""The count and its published bundle; begin at `count`.

May import: voting.post, voting.sealing, voting.verify.format, and what voting.post may import.
"""
