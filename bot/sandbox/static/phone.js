// One phone on the desk: whose it is, its frame, and its two apps.

import { Chat } from "./chat.js";
import { arrowKeys, avatar, clock, h, icon, iconButton, phoneText } from "./dom.js";
import { MiniApp } from "./mini_app.js";
import { Texts } from "./texts.js";
import { say } from "./words.js";

const TOAST_SECONDS = 5;
const ROLES = { member: say("Member"), staff: say("Staff"), stranger: say("Stranger") };

export class Phone {
  /** `actions` is what the desk does for a phone: see `Desk.actionsOf`. */
  constructor(actions) {
    this.actions = actions;
    this.app = "chat";
    this.face = h("span", { class: "face" });
    this.name = h("h2", {});
    this.about = h("p", {});
    this.pin = iconButton("pin", say("Keep this phone while looking at others"), () => actions.pin(), { "aria-pressed": "false" });
    this.close = iconButton("close", say("Put this phone away"), () => actions.close());
    this.apps = h("div", { class: "apps", role: "tablist", "aria-label": say("Apps") });
    arrowKeys(this.apps);
    this.time = h("span", { class: "time" });
    this.toastPlace = h("div", { class: "toast-place", role: "status", "aria-live": "assertive" });
    this.chat = new Chat({ ...actions, chooseChat: (id) => actions.chooseChat(id) });
    this.texts = new Texts(actions);
    this.miniApp = new MiniApp();
    this.element = h("section", { class: "phone", focusin: () => actions.activate(), pointerdown: () => actions.activate() },
      h("header", { class: "caption" }, this.face, h("div", { class: "who" }, this.name, this.about), this.pin, this.close),
      this.apps,
      h("div", { class: "frame" }, h("div", { class: "screen" },
        h("div", { class: "status-bar", "aria-hidden": "true" }, this.time, h("span", { class: "speaker" }), h("span", { class: "signal" })),
        this.chat.element, this.texts.element, this.miniApp.element, this.toastPlace)));
  }

  show({ person, chat, app, bot, unread, pinned, active, alone }) {
    this.person = person;
    if (this.miniApp.owner !== person.id) this.miniApp.close();
    this.app = app;
    this.element.setAttribute("aria-label", say("Phone of {name}", { name: person.name }));
    this.element.dataset.id = person.id;
    this.element.classList.toggle("is-active", active);
    this.element.dataset.app = app;
    this.drawCaption({ person, pinned, alone });
    this.drawApps(unread);
    this.time.textContent = clock(newest(person) ?? new Date().toISOString());
    this.chat.element.hidden = app !== "chat";
    this.texts.element.hidden = app !== "texts";
    if (app === "chat" && chat) {
      this.chat.show({ person, chats: person.chats, chat, bot, unread: (id) => unread(String(id)) });
    }
    if (app === "texts") this.texts.show({ person, sms: person.sms });
  }

  drawCaption({ person, pinned, alone }) {
    this.pin.setAttribute("aria-pressed", String(pinned));
    this.close.hidden = alone;
    const signature = JSON.stringify([person.id, person.name, person.role, person.phone, person.letter?.member_no]);
    if (signature === this.captionDrawn) return;
    this.captionDrawn = signature;
    this.face.replaceChildren(avatar(person.name, person.role));
    this.name.textContent = person.name;
    this.about.replaceChildren(h("b", { class: `role is-${person.role}` }, ROLES[person.role] ?? person.role),
      person.phone ? ` ${phoneText(person.phone)}` : ` ${say("no number")}`);
  }

  drawApps(unread) {
    const counts = [this.person.chats.reduce((total, each) => total + unread(String(each.chat_id)), 0), unread("sms")];
    const signature = JSON.stringify([this.app, counts]);
    if (signature === this.appsDrawn) return;
    this.appsDrawn = signature;
    const focused = this.apps.contains(document.activeElement);
    const tab = (app, name, label, count) => h("button", {
      type: "button", role: "tab", "aria-selected": String(this.app === app), tabindex: this.app === app ? "0" : "-1",
      click: () => this.actions.chooseApp(app),
    }, icon(name), label, count ? h("span", { class: "badge" }, String(count)) : null);
    this.apps.replaceChildren(tab("chat", "chat", say("Chat"), counts[0]), tab("texts", "text", say("Texts"), counts[1]));
    if (focused) this.apps.querySelector("[aria-selected=true]").focus();
  }

  /** Show a line for a few seconds; the same line told twice (answer and news) shows once. */
  toast(text) {
    if (this.toastPlace.textContent === text) return;
    const toast = h("div", { class: "toast" }, text);
    this.toastPlace.replaceChildren(toast);
    setTimeout(() => toast.remove(), TOAST_SECONDS * 1000);
  }
}

function newest(person) {
  const dates = [...person.chats.map((chat) => chat.messages.at(-1)?.date), person.sms.at(-1)?.date];
  return dates.filter(Boolean).sort((one, other) => new Date(one) - new Date(other)).at(-1);
}
