"""What members ask, decided: no Telegram, no words. Begin at `desk`.

May import: bot.inbox, bot.staff, bot.chat.
"""
