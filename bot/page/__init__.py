"""The voting page: its files, its words and what it is told. Begin at `page`.

May import: nothing.
"""
