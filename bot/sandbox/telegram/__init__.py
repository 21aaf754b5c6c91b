"""A local Telegram: the Bot API over HTTP, with people who type and press; begin at `telegram`.

May import: bot.sandbox's root.
"""
