"""The staff's side of the chat; begin at `handlers`.

May import: bot.alerts, bot.edge, what they may import, messages, voting.
"""
