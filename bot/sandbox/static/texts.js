// One phone's text messages: what came, what was answered, and how each went.

import { Composer } from "./composer.js";
import { h, icon, phoneText, richText } from "./dom.js";
import { Thread, stamp } from "./thread.js";
import { say } from "./words.js";

const KEYWORDS = ["STATUS", "STOP", "START", "HELP"];
const FAILED = new Set(["failed", "undelivered"]);
const STATUS_WORDS = {
  accepted: say("On its way"), queued: say("On its way"), sending: say("On its way"), sent: say("Sent"), delivered: say("Delivered"),
  undelivered: say("Not delivered"), failed: say("Failed"), received: say("Sent"), receiving: say("On its way"),
};

export class Texts {
  constructor(actions) {
    this.actions = actions;
    this.name = h("strong", {});
    this.number = h("small", {});
    this.thread = new Thread({
      label: say("Text messages"),
      mine: (message) => message.mine,
      make: (message) => this.bubble(message),
      empty: () => h("p", { class: "empty" }, say("No text messages.")),
    });
    this.composer = new Composer({ onSend: (body) => actions.text(body), placeholder: say("Text message") });
    this.composer.menuButton.hidden = true;
    const keywords = h("div", { class: "keywords", role: "group", "aria-label": say("Keywords") },
      KEYWORDS.map((word) => h("button", { type: "button", class: "chip", click: () => actions.text(word) }, word)));
    this.element = h("div", { class: "texts" },
      h("header", { class: "chat-header" }, h("span", { class: "avatar is-sms", "aria-hidden": "true" }, icon("text")),
        h("div", { class: "who" }, this.name, this.number)),
      this.thread.element, keywords, this.composer.element);
  }

  /** `sms` are those of this person, oldest first; theirs are the ones sent from their own number. */
  show({ person, sms }) {
    const messages = sms.map((each) => ({ ...each, mine: sameNumber(each.from, person.phone), from_name: each.from }));
    const other = messages.map((each) => (each.mine ? each.to : each.from)).at(-1);
    this.name.textContent = say("Text messages");
    this.number.textContent = other ? say("with {number}", { number: phoneText(other) }) : say("nobody yet");
    this.element.classList.toggle("is-empty", messages.length === 0);
    this.composer.show(`sms ${person.id}`, {});
    this.thread.show(`sms ${person.id}`, messages);
  }

  bubble(message) {
    const escaped = h("span", {}, message.body).innerHTML;
    const status = message.mine ? null : h("span", {
      class: FAILED.has(message.status) ? "status is-failed" : "status",
      title: say("What the carrier told the sender"),
    }, STATUS_WORDS[message.status] ?? message.status);
    const lost = !message.mine && FAILED.has(message.status) ? " is-lost" : "";
    return h("article", { class: `message ${message.mine ? "out" : "in"}${lost}`, "data-id": message.id },
      h("div", { class: "stack" }, h("div", { class: "bubble" },
        h("div", { class: "text" }, richText(escaped, { onCommand: () => {}, onLink: this.actions.openLink })),
        stamp(message, status))));
  }
}

function sameNumber(one, other) {
  const digits = (number) => (number ?? "").replaceAll(/[^\d]/g, "");
  return digits(one) !== "" && digits(one) === digits(other);
}
