"""Sentences, dates, numbers and keywords as people write them; begin at `texts`.

May import: nothing of messages, and voting.
"""
