// One phone's chat app: the bot's conversation, the groups beside it, and everything that can be pressed there.

import { Composer } from "./composer.js";
import { arrowKeys, avatar, h, icon, link, richText } from "./dom.js";
import { Thread, stamp } from "./thread.js";
import { say } from "./words.js";

export class Chat {
  /** `actions`: type, press, contact, block, openApp, toast, openPicture, chooseChat; each takes what its name needs. */
  constructor(actions) {
    this.actions = actions;
    this.bot = "";
    this.header = h("header", { class: "chat-header" });
    this.groups = h("div", { class: "groups", role: "tablist", "aria-label": say("Chats"), hidden: true });
    arrowKeys(this.groups);
    this.thread = new Thread({
      label: say("Messages"),
      mine: (message) => message.out,
      make: (message) => this.bubble(message),
      empty: () => this.greeting(),
    });
    this.composer = new Composer({
      onSend: (text) => actions.type(this.chat.chat_id, text),
      onApp: (url) => actions.openApp(url),
      onContact: () => actions.contact(this.chat.chat_id),
    });
    this.stopped = h("button", { type: "button", class: "wide-button", hidden: true, click: () => this.onStopped() });
    this.element = h("div", { class: "chat" }, this.header, this.groups, this.thread.element, this.composer.element, this.stopped);
  }

  show({ person, chats, chat, bot, unread }) {
    Object.assign(this, { person, chat, bot });
    this.element.classList.toggle("is-group", chat.kind === "group");
    this.drawHeader();
    this.drawGroups(chats, unread);
    const key = `${person.id} ${chat.chat_id}`;
    this.thread.show(key, chat.messages);
    this.composer.show(key, {
      commands: chat.commands ?? [], app: chat.app, keyboard: chat.reply_keyboard, contacts: chat.reply_keyboard_contact,
    });
    const untouched = chat.kind === "private" && chat.messages.length === 0;
    this.composer.setHidden(chat.blocked || untouched);
    this.stopped.hidden = !chat.blocked && !untouched;
    this.stopped.textContent = chat.blocked ? say("Unblock") : say("Start");
  }

  onStopped() {
    if (this.chat.blocked) this.actions.block(false);
    else this.actions.type(this.chat.chat_id, "/start");
  }

  drawHeader() {
    const { chat } = this;
    const signature = JSON.stringify([this.person.id, chat.chat_id, chat.title, chat.kind, chat.blocked]);
    if (signature === this.headerDrawn) return;
    this.headerDrawn = signature;
    const face = chat.kind === "group" ? avatar(chat.title, "group") : h("img", { class: "avatar", src: "/static/icon.svg", alt: "" });
    const under = chat.kind === "group" ? say("group") : chat.blocked ? say("blocked") : `bot · @${this.bot}`;
    this.header.replaceChildren(face,
      h("div", { class: "who" }, h("strong", {}, chat.title), h("small", {}, under)),
      chat.kind === "group" ? "" : this.menu());
  }

  menu() {
    const menu = h("details", { class: "menu" }, h("summary", { "aria-label": say("More"), title: say("More") }, icon("more")));
    const item = (name, label, act) => h("button", {
      type: "button",
      click: () => {
        menu.open = false;
        act();
      },
    }, icon(name), label);
    menu.append(h("div", { class: "menu-items" },
      item("contact", say("Share my number"), () => this.actions.contact(this.chat.chat_id)),
      item("block", this.chat.blocked ? say("Unblock the bot") : say("Block the bot"), () => this.actions.block(!this.chat.blocked))));
    menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape") menu.open = false;
    });
    menu.addEventListener("focusout", (event) => {
      if (!menu.contains(event.relatedTarget)) menu.open = false;
    });
    return menu;
  }

  drawGroups(chats, unread) {
    const signature = JSON.stringify([this.chat.chat_id, chats.map((each) => [each.chat_id, each.title, unread(each.chat_id)])]);
    if (signature === this.groupsDrawn) return;
    this.groupsDrawn = signature;
    this.groups.hidden = chats.length < 2;
    const focused = this.groups.contains(document.activeElement);
    this.groups.replaceChildren(...chats.map((each) => {
      const chosen = each.chat_id === this.chat.chat_id;
      const count = unread(each.chat_id);
      return h("button", {
        type: "button", role: "tab", "aria-selected": String(chosen), tabindex: chosen ? "0" : "-1",
        click: () => this.actions.chooseChat(each.chat_id),
      }, each.title, count ? h("span", { class: "badge" }, String(count)) : null);
    }));
    if (focused) this.groups.querySelector("[aria-selected=true]").focus();
  }

  greeting() {
    if (this.chat.kind === "group") return h("p", { class: "empty" }, say("No messages here yet."));
    return h("div", { class: "empty card" }, h("img", { src: "/static/icon.svg", alt: "", width: 56, height: 56 }),
      h("strong", {}, this.chat.title), h("p", {}, say("No messages here yet. Press Start to meet the bot.")));
  }

  bubble(message) {
    const text = message.html ? h("div", { class: "text" }, richText(message.html, this.textActions())) : null;
    const stranger = this.chat.kind === "group" && !message.out;
    const body = h("div", { class: "bubble" },
      stranger ? h("strong", { class: "sender" }, message.from_name) : null,
      message.photo ? this.photo(message) : null,
      message.document ? this.file(message.document) : null,
      text, stamp(message));
    if (message.photo) body.classList.add("has-photo");
    const side = message.out ? "out" : "in";
    return h("article", { class: `message ${side}`, "data-id": message.id, "aria-label": message.out ? say("You") : message.from_name },
      h("div", { class: "stack" }, body, message.buttons?.length ? this.inlineKeys(message) : null));
  }

  textActions() {
    const chatId = this.chat.chat_id;
    return { onCommand: (text) => this.actions.type(chatId, text), onLink: (href) => this.actions.openLink(href) };
  }

  photo(message) {
    const label = message.html ? say("Open the picture") : say("Open the picture, which has no caption");
    const image = h("img", { src: message.photo, alt: "", loading: "lazy", load: () => this.thread.stuck && this.thread.toEnd("instant") });
    return h("button", { type: "button", class: "photo", "aria-label": label, click: () => this.actions.openPicture(message.photo) }, image);
  }

  file({ name, url }) {
    return h("a", { class: "file", href: url, download: name }, h("span", { class: "file-icon" }, icon("file")),
      h("span", {}, h("strong", {}, name), h("small", {}, say("Document"))));
  }

  inlineKeys(message) {
    return h("div", { class: "inline-keys" }, message.buttons.map((row) =>
      h("div", { class: "row" }, row.map((button) => this.inlineKey(message, button)))));
  }

  inlineKey(message, button) {
    if (button.app) return this.appKey(button);
    return button.url ? this.urlKey(button) : this.dataKey(message, button);
  }

  appKey({ text, app }) {
    return h("button", { type: "button", "aria-haspopup": "dialog", click: () => this.actions.openApp(app) }, text, icon("app"));
  }

  urlKey({ text, url }) {
    const key = link(url, text, (href) => this.actions.openLink(href));
    key.append(icon("out"));
    return key;
  }

  dataKey(message, { text, data }) {
    const chatId = this.chat.chat_id;
    const key = h("button", { type: "button" }, text);
    key.addEventListener("click", async () => {
      key.setAttribute("aria-busy", "true");
      try {
        await this.actions.press(chatId, message.id, data);
      } finally {
        key.removeAttribute("aria-busy");
      }
    });
    return key;
  }
}
