"""The voting page: its files, its words, its headers and what it is told. Begin at `page`.

May import: messages, voting.
"""
