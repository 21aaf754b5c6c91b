"""The wire: the HTTP server, webhooks, polling; begin at `server`.

May import: bot.inbox, bot.chat, bot's root, messages, voting.
"""
