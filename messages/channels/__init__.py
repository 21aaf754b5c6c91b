"""One file a provider: a message becomes a request, an answer becomes a verdict; begin at `channels`.

May import: messages.pace, messages.reach, messages' root, and voting.
"""
