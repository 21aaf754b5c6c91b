"""The voting page: its files and words (`page`), and what it asks the service (`routes`, decided in `desk`).

May import: bot.member, messages, voting.
"""
