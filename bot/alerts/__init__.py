"""What staff are told at once, and where; begin at `alerts`.

May import: bot.member, bot.staff, bot.chat, bot's root, messages, voting.
"""
