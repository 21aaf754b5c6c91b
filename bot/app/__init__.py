"""The service: everything joined and kept going; begin at `run`.

May import: everything of the house but commands.
"""
