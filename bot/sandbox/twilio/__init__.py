"""A local Twilio: its messages API, with phones that answer. Begin at `twilio`.

May import: bot.sandbox.
"""
