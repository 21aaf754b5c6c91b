"""What providers handed over: stored, claimed in a chat's order, done; begin at `inbox`.

May import: bot's root, messages, voting.
"""
