"""One file a provider: a message becomes a request, an answer becomes a verdict. Begin at `channels`.

May import: messages.pace.
"""
