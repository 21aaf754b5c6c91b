"""How Twilio says no: codes, HTTP statuses and sentences (Twilio's error dictionary)."""

from typing import Final

SENTENCES: Final[dict[int, tuple[int, str]]] = {
    20001: (400, "Unknown parameters"),
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    21211: (400, "Invalid 'To' Phone Number: {to}"),
    21408: (403, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {to}"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number {sender} is not a valid, message-capable Twilio phone number"),
    21609: (400, "The 'StatusCallback' URL is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "Message cannot be sent with the current combination of 'To' and/or 'From' parameters"),
    21614: (400, "'To' number is not a valid mobile number: {to}"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21624: (400, "Invalid validity period value"),
    21704: (400, "The Messaging Service does not contain any phone numbers"),
    63038: (429, "Account exceeded the daily messages limit"),
}


class TwilioError(Exception):
    """An answer with a code."""

    def __init__(self, code: int, *, to: str = "", sender: str = "") -> None:
        status, sentence = SENTENCES.get(code, (400, "The request could not be carried out"))
        self.code = code
        self.status = status
        self.message = sentence.format(to=to, sender=sender)
        super().__init__(self.message)

    def as_json(self) -> dict[str, object]:
        """As the API answers."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
