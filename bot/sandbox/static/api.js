// The control interface of the sandbox: requests, and the stream that says what changed.

import { say } from "./words.js";

const CONFLICT = 409; // what a phone would not let its owner do; the body says why

/** The server's own words when it said no. */
export class Refused extends Error {}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { headers: { accept: "application/json" }, ...options });
  } catch {
    throw new Refused(say("The sandbox does not answer. Is the demo still running?"));
  }
  const text = await response.text();
  const answer = text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : null;
  if (!response.ok) throw new Refused(response.status === CONFLICT && text ? text : say("The sandbox said no ({status}).", { status: response.status }));
  return answer ?? {};
}

function post(path, body) {
  return ask(path, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body),
  });
}

export const api = {
  state: () => ask("/api/state"),
  person: (id) => ask(`/api/person/${id}`),
  addStranger: (name) => post("/api/person", { name }),
  type: (id, chatId, text) => post(`/api/person/${id}/type`, { chat_id: chatId, text }),
  press: (id, chatId, messageId, data) =>
    post(`/api/person/${id}/press`, { chat_id: chatId, message_id: messageId, data }),
  app: (id, url, dark) => post(`/api/person/${id}/app`, { url, dark }),
  contact: (id, chatId) => post(`/api/person/${id}/contact`, { chat_id: chatId }),
  block: (id, blocked) => post(`/api/person/${id}/block`, { blocked }),
  text: (id, body) => post(`/api/person/${id}/sms`, { body }),
  qr: (text) => `/api/qr?text=${encodeURIComponent(text)}`,
};

/** Call `onEvent` for each change and `onLine(up)` when the stream opens or breaks; the browser reconnects. */
export function listen(onEvent, onLine) {
  const stream = new EventSource("/api/events");
  stream.addEventListener("message", (event) => onEvent(JSON.parse(event.data)));
  stream.addEventListener("open", () => onLine(true));
  stream.addEventListener("error", () => onLine(false));
  return stream;
}
