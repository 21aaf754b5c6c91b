"""What every conversation shares: what was said, buttons, pages. Begin at `said`.

May import: messages.
"""
