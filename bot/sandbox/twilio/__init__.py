"""A local Twilio: its messages API, with phones that answer; begin at `twilio`.

May import: bot.sandbox's root.
"""
