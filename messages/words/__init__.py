"""Sentences, dates, numbers and keywords, as people write them. Begin at `texts`.

May import: voting.
"""
