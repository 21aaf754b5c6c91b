// The ballot pack as it comes through the door: the letter, or the empty place where it will lie.

import { api } from "./api.js";
import { h, icon } from "./dom.js";
import { wordsOf } from "./letter_words.js";
import { say } from "./words.js";

export class Letter {
  /** `onCode(text)` types a code into the chat; `onOpen(url)` opens the bot; `onBorrow(id)` picks whose letter lies here. */
  constructor(root, { onCode, onOpen, onBorrow }) {
    Object.assign(this, { root, onCode, onOpen, onBorrow });
    this.heading = h("h2", {}, say("Post"));
    this.borrow = h("select", { "aria-label": say("Read the letter of"), change: () => onBorrow(Number(this.borrow.value) || null) });
    this.borrowLabel = h("label", { class: "borrow", hidden: true }, say("Read"), this.borrow);
    this.sheet = h("div", { class: "sheet-place" });
    root.append(h("header", { class: "post-header" }, this.heading, this.borrowLabel), this.sheet);
  }

  /** `owner` has the letter (or waits for it); `typist` is whose phone a pressed code goes to. */
  show({ owner, typist, title, others }) {
    this.drawBorrow(owner, typist, others);
    const signature = JSON.stringify([owner?.id, owner?.letter, typist?.id, title]);
    if (signature === this.drawn) return;
    const arrived = this.owner === owner?.id && this.hadLetter === false && Boolean(owner?.letter);
    Object.assign(this, { drawn: signature, owner: owner?.id, hadLetter: Boolean(owner?.letter) });
    this.heading.textContent = owner ? say("Post for {name}", { name: owner.name }) : say("Post");
    this.sheet.replaceChildren(...(owner?.letter
      ? [this.paper(owner, typist, title), h("p", { class: "hint" }, say("Press a code to type it into {name}’s chat.", { name: typist.name }))]
      : [this.nothing(owner)]));
    this.sheet.classList.toggle("arrived", arrived);
  }

  drawBorrow(owner, typist, others) {
    const offered = Boolean(typist) && typist.role === "stranger" && others.length > 0;
    this.borrowLabel.hidden = !offered;
    const signature = JSON.stringify([offered, owner?.id, typist?.id, others.length]);
    if (!offered || signature === this.borrowDrawn) return;
    this.borrowDrawn = signature;
    const options = [h("option", { value: "" }, say("nobody’s letter")),
      ...others.map((person) => h("option", { value: person.id }, say("{name}’s letter", { name: person.name })))];
    this.borrow.replaceChildren(...options);
    this.borrow.value = owner && owner.id !== typist.id ? String(owner.id) : "";
  }

  nothing(owner) {
    const words = !owner ? say("Choose somebody to see their post.")
      : owner.role === "staff" ? say("Staff get no pack at this desk.")
        : owner.role === "stranger" ? say("Strangers get no pack. Pick a member’s letter above and try its codes from this phone.")
          : say("The pack has not arrived. When it is dispatched, it will lie here.");
    return h("div", { class: "nothing" },
      h("div", { class: "envelope", "aria-hidden": "true" }, h("span", { class: "flap" }), h("span", { class: "window" }), h("span", { class: "stamp-mark" })),
      h("p", {}, words));
  }

  paper(owner, typist, title) {
    const { letter } = owner;
    const { language, words } = wordsOf(letter);
    const address = [letter.name, letter.address_1, letter.address_2, letter.town, letter.postcode].filter(Boolean);
    return h("article", { class: "sheet", lang: language, "aria-label": words.pack(letter.name ?? owner.name) },
      h("div", { class: "sheet-top" },
        h("address", {}, address.map((line) => h("span", {}, line))),
        h("dl", { class: "reference" }, h("dt", {}, words.member), h("dd", {}, letter.member_no ?? ""))),
      h("h3", {}, letter.title ?? title),
      h("p", {}, words.intro),
      letter.rule ? h("p", { class: "rule" }, letter.rule) : null,
      h("div", { class: "codes" },
        this.code(words, words.packCode, letter.pack_code, typist),
        this.code(words, words.voteCode, letter.vote_code, typist)),
      letter.word ? h("p", { class: "word" }, words.word, h("b", {}, letter.word), words.otherWord) : null,
      letter.vote_url ? this.toPage(words, letter) : null,
      letter.bot_url ? this.wayIn(words, letter) : null);
  }

  code(words, label, value, typist) {
    const spoken = words.typeCode(label, value, typist?.name ?? "…");
    return h("button", { type: "button", class: "code", "aria-label": spoken, click: () => this.onCode(value) },
      h("span", {}, label), h("b", {}, groups(value)));
  }

  /** The voting page, in a tab of its own, as a phone's browser opens it. */
  toPage(words, { vote_url: url }) {
    const shown = url.replace(/^https?:\/\//, "").replace(/#.*/, "");
    return h("div", { class: "way-in" },
      h("img", { src: api.qr(url), alt: words.pageCode, width: 112, height: 112 }),
      h("div", {}, h("strong", {}, words.onPage), h("p", {}, words.scan),
        h("a", { class: "plain-address", href: url, target: "_blank", rel: "noopener noreferrer" }, shown, icon("out"))));
  }

  wayIn(words, { bot_url: url }) {
    const open = (event) => {
      if (this.onOpen(url)) event.preventDefault();
    };
    return h("div", { class: "way-in" },
      h("a", { href: url, target: "_blank", rel: "noopener noreferrer", click: open, "aria-label": words.openChat },
        h("img", { src: api.qr(url), alt: words.chatCode, width: 112, height: 112 })),
      h("div", {}, h("strong", {}, words.inChat), h("p", {}, words.scan),
        h("a", { class: "plain-address", href: url, target: "_blank", rel: "noopener noreferrer", click: open }, url.replace(/^https?:\/\//, ""), icon("out"))));
  }
}

/** Code groups side by side, so that a long code breaks only between them. */
function groups(value) {
  return (value ?? "").split("-").map((part, index) => [index ? "-" : "", h("span", {}, part)]).flat();
}
