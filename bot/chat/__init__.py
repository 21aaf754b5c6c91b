"""What every conversation shares: what was said, buttons, pages, posting. Begin at `said`.

May import: messages.
"""
