"""Options that take several files at once, as a shell's `*` gives them: `--certificates certificate-*.json`."""

from typing import Any, Final

from typer.core import TyperCommand

SEVERAL: Final = frozenset({"--certificates", "--polynomials", "--publics", "--decryption", "--share"})


class SeveralFiles(TyperCommand):
    """A command whose options in SEVERAL take every word up to the next option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - the library's own context
        """Name the option again before each further word."""
        return super().parse_args(ctx, _spread(args))


def _spread(words: list[str]) -> list[str]:
    spread: list[str] = []
    option = ""
    for word in words:
        if word.startswith("-"):
            option = word if word in SEVERAL else ""
        elif option and spread[-1] != option:
            spread.append(option)
        spread.append(word)
    return spread
