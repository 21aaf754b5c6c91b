"""A plain python-telegram-bot bot that holds the same conversation, a process of its own: the toy ours is put beside.

Its own updater and its default transport, every person in a dict: `python toy_bot.py TOKEN API_URL [ballots]`. With
`ballots` it does for each vote what no vote can do without: it derives the credential, seals, signs and checks.
"""

import sys
from typing import Any, Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

from voting.ballots.ballot import sign
from voting.ballots.check import check
from voting.ballots.credential import derive_secret
from voting.ballots.election import Election, Question, make_election
from voting.ballots.group import base_times, random_scalar
from voting.ballots.seal import draw_randomness, seal

UUID: Final = "ToyToyToyToyTo"
OPTIONS: Final = ("North Quay", "South Quay")
NEXT: Final = {
    "understood": ("Now type the pack code and the vote code from your letter.", ()),
    **{option: (f"You chose {option}. Shall it be cast?", ("Cast my vote",)) for option in OPTIONS},
    "Cast my vote": ("Your vote is locked. Receipt: {receipt}", ()),
}
PATIENCE_SECONDS: Final = 120.0
Context = ContextTypes.DEFAULT_TYPE


class Toy:
    """Everybody it has heard of, and an election if it makes ballots."""

    def __init__(self, election: Election | None) -> None:
        self.people: dict[int, dict[str, Any]] = {}
        self.election = election
        self.signing = random_scalar()

    async def on_start(self, update: Update, _context: Context) -> None:
        """Answer /start, and /status."""
        await self._send(update, "Welcome. Send /vote when your letter is there.", ())

    async def on_vote(self, update: Update, _context: Context) -> None:
        """Answer /vote."""
        await self._send(update, "Before you vote: you can vote once.", ("I understand",), data="understood")

    async def on_codes(self, update: Update, _context: Context) -> None:
        """Take codes, and show the paper."""
        assert update.message is not None
        if self.election is not None:
            pack, vote = (update.message.text or "").replace("-", "").split()
            self._person(update)["secret"] = derive_secret(pack, vote, UUID)
        await update.message.delete()
        await self._send(update, "This is your voting paper.", OPTIONS)

    async def on_press(self, update: Update, _context: Context) -> None:
        """Take a press on any button."""
        query = update.callback_query
        assert query is not None
        pressed = query.data or ""
        person, receipt = self._person(update), ""
        if pressed in OPTIONS:
            person["choice"] = OPTIONS.index(pressed)
        elif pressed == "Cast my vote":
            receipt = self._cast(person)
        await query.answer()
        words, labels = NEXT[pressed]
        no_preview = LinkPreviewOptions(is_disabled=True)
        words = words.format(receipt=receipt)
        await query.edit_message_text(words, reply_markup=_keys(labels), link_preview_options=no_preview)

    async def on_edited(self, update: Update, _context: Context) -> None:
        """Answer a message that was mended."""
        await self._send(update, "Sorry, I did not understand that.", ("Vote", "Help"))

    async def on_nothing(self, _update: Update, _context: Context) -> None:
        """Say nothing."""

    def _cast(self, person: dict[str, Any]) -> str:
        person["locked"] = True
        if self.election is None:
            return "none"
        marks = [(1, 0) if person["choice"] == 0 else (0, 1)]
        sealed = seal(self.election, base_times(person["secret"]), marks, draw_randomness(self.election))
        ballot = sign(sealed, person["secret"], self.signing)
        check(ballot, self.election)
        person["ballot"] = ballot
        return "sealed"

    def _person(self, update: Update) -> dict[str, Any]:
        assert update.effective_user is not None
        return self.people.setdefault(update.effective_user.id, {})

    async def _send(self, update: Update, words: str, labels: tuple[str, ...], *, data: str | None = None) -> None:
        assert update.effective_message is not None
        no_preview = LinkPreviewOptions(is_disabled=True)
        await update.effective_message.reply_text(
            words, reply_markup=_keys(labels, data), link_preview_options=no_preview
        )


def _keys(labels: tuple[str, ...], data: str | None = None) -> InlineKeyboardMarkup | None:
    rows = [[InlineKeyboardButton(label, callback_data=data or label)] for label in labels]
    return InlineKeyboardMarkup(rows) if rows else None


def main(token: str, api_url: str, *, ballots: bool) -> None:
    """Run until the process is ended."""
    question = Question("Where?", OPTIONS, 1, 1)
    key = base_times(random_scalar())
    made = make_election(uuid=UUID, name="Toy", description="Toy", key=key, questions=[question])
    toy = Toy(made if ballots else None)
    # Up to 300 updates at once, as wide a pool as they can need, and long patience with an emulator on the same cores:
    # what is measured is its processor. With the library's 5 seconds some calls would end in TimedOut.
    application = (
        Application.builder()
        .token(token)
        .base_url(f"{api_url}/bot")
        .concurrent_updates(300)
        .connection_pool_size(300)
        .pool_timeout(PATIENCE_SECONDS)
        .connect_timeout(PATIENCE_SECONDS)
        .read_timeout(PATIENCE_SECONDS)
        .write_timeout(PATIENCE_SECONDS)
        .build()
    )
    application.add_handlers(
        [
            CommandHandler(["start", "status"], toy.on_start),
            CommandHandler("vote", toy.on_vote),
            MessageHandler(filters.UpdateType.EDITED_MESSAGE, toy.on_edited),
            MessageHandler(filters.TEXT, toy.on_codes),
            CallbackQueryHandler(toy.on_press),
            ChatMemberHandler(toy.on_nothing),
        ]
    )
    application.run_polling(allowed_updates=Update.ALL_TYPES)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], ballots="ballots" in sys.argv[3:])
