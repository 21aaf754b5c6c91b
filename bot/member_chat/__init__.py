"""The member's side of the chat and of text messages. Begin at `handlers`.

May import: bot.member, bot.chat.
"""
