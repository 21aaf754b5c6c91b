"""What every conversation shares: what was said, buttons, pages and posting.

May import: bot's root, messages, voting.
"""
