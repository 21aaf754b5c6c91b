"""The staff's side of the chat. Begin at `handlers`.

May import: bot.alerts, bot.edge.
"""
