"""A local Telegram: the Bot API over HTTP, with people who type and press. Begin at `telegram`.

May import: bot.sandbox.
"""
