"""How the Bot API says no."""


class ApiError(Exception):
    """An answer with ok=false: HTTP code, Telegram's description, and its `parameters` if any."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad_request(why: str) -> ApiError:
    """Make the common 400."""
    return ApiError(400, f"Bad Request: {why}")
