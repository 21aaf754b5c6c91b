"""How people reach us: the chat, webhooks, the console, the command line.

May import: messages, voting.
Everybody in bot may import: bot.house, bot.settings, bot.logs, bot.schema.
"""
