"""The command line's commands, one file a noun. `bot/cli.py` is the front door.

May import: bot.app, bot.demo.
"""
