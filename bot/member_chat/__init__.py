"""The member's side of the chat and of text messages; begin at `handlers`.

May import: bot.member, bot.chat, bot's root, messages, voting.
"""
