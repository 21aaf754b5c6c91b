// A page that a bot opens inside the chat app: in a frame of its own over the phone's screen, until it is closed.

import { h, iconButton } from "./dom.js";
import { say } from "./words.js";

// As Telegram's web client has it.
const ALLOWED = "allow-scripts allow-same-origin allow-popups allow-forms allow-modals allow-downloads";

export class MiniApp {
  constructor() {
    this.name = h("strong", {});
    this.frame = null;
    this.owner = null;
    this.element = h("div", { class: "mini-app", role: "dialog", "aria-label": say("Mini App"), hidden: true },
      h("header", { class: "chat-header" }, iconButton("close", say("Close the Mini App"), () => this.close()),
        h("div", { class: "who" }, this.name, h("small", {}, say("Mini App")))));
    addEventListener("message", (event) => this.onEvent(event));
  }

  /** `owner` is whose phone it is: on another's it is closed. */
  open(owner, name, url) {
    this.close();
    this.owner = owner;
    this.name.textContent = name;
    this.frame = h("iframe", { src: url, title: name, sandbox: ALLOWED, referrerpolicy: "no-referrer" });
    this.element.append(this.frame);
    this.element.hidden = false;
    this.frame.focus();
  }

  close() {
    this.frame?.remove();
    this.frame = null;
    this.element.hidden = true;
  }

  /** The events that a Mini App sends to Telegram's web client; of them this phone knows only the last. */
  onEvent({ source, data }) {
    if (this.frame === null || source !== this.frame.contentWindow || typeof data !== "string") return;
    if (eventType(data) === "web_app_close") this.close();
  }
}

function eventType(text) {
  try {
    return JSON.parse(text)?.eventType;
  } catch {
    return null;
  }
}
