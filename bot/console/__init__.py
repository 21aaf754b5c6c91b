"""The staff's console in a browser. Begin at `routes`.

May import: bot.alerts, bot.edge.
"""
