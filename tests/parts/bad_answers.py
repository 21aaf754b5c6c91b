"""What providers, and whatever stands between, have answered: fifty for Telegram, some for Twilio.

Each by what it is. `before`: the request was not processed; `after`: it was, and the answer replaced.
"""

import json

from bot.sandbox import Fault

PAGE = "<html><head><title>Attention</title></head><body>Request blocked. Ray 7f31</body></html>"
SEND = "sendMessage"
CHAT = {"id": 1, "type": "private"}


def _ok(result: object) -> str:
    return json.dumps({"ok": True, "result": result})


def _no(code: object, **more: object) -> str:
    return json.dumps({"ok": False, "error_code": code} | more)


_OF_ALL = {
    "a page, 200": (200, PAGE, "before"),
    "a page, 400": (400, PAGE, "before"),
    "a page, 401": (401, PAGE, "before"),
    "a page, 403": (403, PAGE, "before"),
    "a page, 404": (404, PAGE, "before"),
    "a page, 409": (409, PAGE, "before"),
    "a page, 429": (429, PAGE, "before"),
    "a page, 500": (500, PAGE, "before"),
    "a page, 502": (502, PAGE, "before"),
    "a page, 503": (503, PAGE, "before"),
    "a page, 200, after": (200, PAGE, "after"),
    "a page, 502, after": (502, PAGE, "after"),
    "a page, 504, after": (504, PAGE, "after"),
    "nothing, 200": (200, "", "before"),
    "nothing, 403": (403, "", "before"),
    "nothing, 502": (502, "", "before"),
    "nothing, 200, after": (200, "", "after"),
    "cut after a few letters": (200, '{"ok":tr', "before"),
    "cut in the middle, after": (200, '{"ok":true,"result":{"message_id":', "after"),
    "null": (200, "null", "before"),
    "a list": (200, "[]", "before"),
    "a number": (200, "7", "before"),
    "a word": (200, '"ok"', "before"),
    "a list, 403": (403, "[1, 2]", "before"),
    "an empty object": (200, "{}", "before"),
    "yes as a word": (200, '{"ok":"yes","result":[]}', "before"),
    "yes without a result": (200, '{"ok":true}', "before"),
    "no, with 200": (200, _no(400, description="x"), "before"),
    "another service's no": (403, '{"error":{"reason":"forbidden"}}', "before"),
    "no without a reason": (403, _no(403), "before"),
    "no, its reason a list": (403, _no(403, description=["Forbidden: bot was blocked by the user"]), "before"),
    "no, its code a word": (403, _no("403", description="Forbidden: bot was blocked by the user"), "before"),
    "no, another code than the status": (502, _no(403, description="Forbidden: bot was blocked by the user"), "before"),
    "no, its parameters a word": (400, _no(400, description="x", parameters="y"), "before"),
    "moved to a word": (400, _no(400, description="x", parameters={"migrate_to_chat_id": "-100"}), "before"),
    "wait, not for how long": (429, _no(429, description="x"), "before"),
    "wait for a word": (429, _no(429, description="x", parameters={"retry_after": "soon"}), "before"),
    "wait for ever": (429, _no(429, description="x", parameters={"retry_after": 10**15}), "before"),
    "endless nesting": (200, '{"ok":' + "[" * 5_000, "before"),
    "no text at all": (200, "\x00\x01\x02", "before"),
}
_OF_SENDING = {
    "sent, as true": _ok(result=True),
    "sent, as a list": _ok([]),
    "sent, without an id": _ok({"date": 1, "chat": CHAT}),
    "sent, its id a word": _ok({"message_id": "7", "date": 1, "chat": CHAT}),
    "sent, its id beyond all ids": _ok({"message_id": 10**20, "date": 1, "chat": CHAT}),
    "sent, to no chat": _ok({"message_id": 7, "date": 1}),
    "sent, to a chat that is a list": _ok({"message_id": 7, "date": 1, "chat": [1]}),
    "sent, to somebody else": _ok({"message_id": 7, "date": 1, "chat": CHAT}),
}
_OF_POLLING = {
    "updates as a word": _ok("none"),
    "updates as an object": _ok({"update_id": 1}),
}

OF_TELEGRAM = [
    *(Fault(f"other_{when}", code=code, body=body, name=name) for name, (code, body, when) in _OF_ALL.items()),
    *(Fault("other_before", method=SEND, code=200, body=body, name=name) for name, body in _OF_SENDING.items()),
    *(Fault("other_before", method="getUpdates", code=200, body=body, name=name) for name, body in _OF_POLLING.items()),
]
_SMS = {"sid": "SM" + "0" * 32, "status": "queued", "to": "+447700900000", "body": "x", "date_created": "x"}
OF_TWILIO = [
    *(
        Fault(f"other_{when}", code=code, body=body, name=name)
        for name, (code, body, when) in _OF_ALL.items()
        if not name.startswith(("no,", "wait", "moved", "yes"))
    ),
    Fault("other_before", method="create", code=201, body=json.dumps(_SMS), name="made for somebody else"),
    Fault("other_before", method="create", code=201, body=json.dumps(_SMS | {"sid": 7}), name="its SID a number"),
    Fault("other_before", code=400, body='{"code":"21610","message":"stop","status":400}', name="its code a word"),
    Fault("other_before", method="list", code=200, body='{"messages":[{"sid":1}]}', name="a list of others"),
]
assert len(OF_TELEGRAM) == 50, len(OF_TELEGRAM)
