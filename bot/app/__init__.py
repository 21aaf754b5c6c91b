"""The service: everything assembled, started and kept running. Begin at `assembly`.

May import: bot.console, bot.page, bot.staff_chat, bot.member_chat.
"""
