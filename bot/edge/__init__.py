"""Where providers reach us: the HTTP server, webhooks, polling. Begin at `server`.

May import: bot.inbox, bot.chat.
"""
