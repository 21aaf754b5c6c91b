"""The service: everything joined, started and kept going. Begin at `assembly`.

May import: bot.console, bot.staff_chat, bot.member_chat.
"""
