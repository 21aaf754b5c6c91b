"""The story that `make demo` plays. Begin at `story`.

May import: bot.app, bot.sandbox.
"""
