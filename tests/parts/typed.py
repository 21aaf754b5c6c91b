"""Commands as they are typed, in this process: each has an event loop of its own, in another thread."""

import asyncio

from typer.testing import CliRunner, Result

from bot import cli


async def types(*words: str, answer: str = "") -> Result:
    """Type a command, and `answer` to what it asks."""
    return await asyncio.to_thread(CliRunner().invoke, cli.build(), list(words), input=answer)


async def says(*words: str, answer: str = "") -> str:
    """Type a command that ends well; give what it prints on stdout."""
    result = await types(*words, answer=answer)
    assert result.exit_code == 0, result.exception or result.output
    return result.stdout
