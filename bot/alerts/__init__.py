"""What staff are told at once, and where. Begin at `alerts`.

May import: bot.member, bot.staff, bot.chat.
"""
