"""What members ask, decided: no Telegram, no words; begin at `desk`.

May import: bot.inbox, bot.staff, bot.chat.buttons, bot's root, messages, voting.
"""
