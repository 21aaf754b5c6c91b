"""Checks a published bundle alone; begin at `verify`.

May import: nothing of ours. That is its whole promise.
"""
