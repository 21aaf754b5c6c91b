"""How people reach us: the chat, webhooks, the console, the command line."""
