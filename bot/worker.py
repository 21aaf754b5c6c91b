"""One of the workers that `run --processes` begins: the service, on a socket that it shares. Not typed by anybody."""

import sys

from bot.app.place import Place
from bot.cli import answer
from bot.commands.running import run_here

if __name__ == "__main__":
    answer(lambda: run_here(Place.read(sys.argv[1:])))
