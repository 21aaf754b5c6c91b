"""The command line's commands, one file a noun. `bot/cli.py` is the front door.

A noun's file imports at its top only what `--help` needs; each command imports what it runs in its own body.

May import: bot.app, bot.demo.
"""
