// The desk: which phones lie on it, what is unread, and how everything learns that something changed.

import { Refused, api, listen } from "./api.js";
import { element, isDark, openPicture, prepareKeys, prepareTheme } from "./furnish.js";
import { Letter } from "./letter.js";
import { People } from "./people.js";
import { Phone } from "./phone.js";
import { Unread } from "./unread.js";
import { say, sayPage } from "./words.js";

const SETTLE_MS = 60; // changes that come together are fetched together
const PHONES_MAX = 2;
const WIDE = matchMedia("(min-width: 1380px)");
const NARROW = matchMedia("(max-width: 979px)");

class Desk {
  constructor() {
    this.state = { title: "", bot_username: "", people: [], console_url: null };
    this.data = new Map(); // person id -> what /api/person said last
    this.fetching = new Map(); // person id -> "running" or "again"
    this.unread = new Unread();
    this.slots = []; // the phones on the desk, at most two
    this.active = null;
    this.borrowed = null;
    this.people = new People(element("people"), {
      onChoose: (id) => this.choose(id),
      onBeside: (id) => this.choose(id, { beside: true }),
      onAdd: (name) => this.attempt(() => this.addStranger(name)),
    });
    this.letter = new Letter(element("post"), {
      onCode: (text) => this.typeCode(text),
      onOpen: (url) => this.openLink(this.active, url),
      onBorrow: (id) => this.borrow(id),
    });
    element("tabs").addEventListener("click", (event) => this.chooseTab(event.target.closest("[data-tab]")?.dataset.tab));
    for (const media of [WIDE, NARROW]) media.addEventListener("change", () => this.draw());
    document.addEventListener("visibilitychange", () => this.draw());
    addEventListener("hashchange", () => this.readHash() && this.draw());
  }

  async start() {
    await this.refreshState();
    if (!this.readHash()) this.firstPhones();
    this.draw();
    listen((event) => this.onEvent(event), (up) => this.onLine(up));
  }

  // ---- what the sandbox says -------------------------------------------------------------------------

  async refreshState() {
    this.state = await api.state();
    element("title").textContent = this.state.title;
    document.title = say("{title} · Phones", { title: this.state.title });
    const console = element("console");
    console.hidden = !this.state.console_url;
    if (this.state.console_url) console.href = this.state.console_url;
    this.people.update({ people: this.state.people });
  }

  onEvent({ type, person_id: id, chat_id: chatId, text, out }) {
    if (type === "person") this.soon("state", () => this.refreshState());
    if (type === "toast" && text) this.slotOf(id)?.phone.toast(text);
    if (id === null || id === undefined) return;
    if ((type === "message" && !out) || type === "sms") this.countUnread(id, type === "sms" ? "sms" : String(chatId));
    if (this.data.has(id) || this.slotOf(id)) this.soon(id, () => this.refetch(id));
  }

  onLine(up) {
    const live = element("live");
    live.dataset.live = up ? "yes" : "no";
    live.textContent = up ? say("Live") : say("Reconnecting");
    if (!up) return;
    this.soon("state", () => this.refreshState());
    for (const { id } of this.slots) this.soon(id, () => this.refetch(id));
  }

  /** Run once, a moment after the last of several calls for the same thing. */
  soon(key, act) {
    this.timers ??= new Map();
    clearTimeout(this.timers.get(key));
    this.timers.set(key, setTimeout(() => this.attempt(act), SETTLE_MS));
  }

  /** One request at a time per person; a change during it asks once more, so the last answer is the newest. */
  async refetch(id) {
    if (this.fetching.has(id)) {
      this.fetching.set(id, "again");
      return;
    }
    do {
      this.fetching.set(id, "running");
      try {
        this.data.set(id, await api.person(id));
      } catch (error) {
        this.fetching.delete(id);
        throw error;
      }
    } while (this.fetching.get(id) === "again");
    this.fetching.delete(id);
    this.draw();
  }

  async attempt(act) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const phone = this.slotOf(this.active)?.phone;
      if (phone) phone.toast(error.message);
      else element("subtitle").textContent = error.message;
      return null;
    }
  }

  // ---- unread ----------------------------------------------------------------------------------------

  countUnread(id, place) {
    const slot = this.slotOf(id);
    if (slot && this.visible(slot) && this.placeOf(slot) === place) return;
    this.unread.add(id, place);
    // A notice to many arrives as many events: draw once for all of them.
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      this.draw();
    });
  }

  markRead(slot) {
    if (this.visible(slot)) this.unread.read(slot.id, this.placeOf(slot));
  }

  placeOf(slot) {
    return slot.app === "texts" ? "sms" : String(this.chatOf(slot)?.chat_id ?? "");
  }

  visible(slot) {
    if (!this.shownSlots().includes(slot) || document.hidden) return false;
    return !NARROW.matches || ["phone", "texts"].includes(document.body.dataset.tab);
  }

  // ---- which phones ----------------------------------------------------------------------------------

  slotOf(id) {
    return this.slots.find((slot) => slot.id === id) ?? null;
  }

  shownSlots() {
    if (WIDE.matches) return this.slots;
    return this.slots.filter((slot) => slot.id === this.active);
  }

  firstPhones() {
    const first = (role) => this.state.people.find((person) => person.role === role);
    const staff = first("staff");
    const member = first("member") ?? staff ?? this.state.people[0];
    if (!member) return;
    this.place(member.id);
    if (staff && staff !== member) this.place(staff.id, { beside: true, pinned: true });
    this.activate(member.id);
  }

  /** Show somebody's phone: in place of the one that is not pinned, or beside it. */
  choose(id, { beside = false } = {}) {
    this.borrowed = null;
    this.place(id, { beside });
    if (NARROW.matches) document.body.dataset.tab = this.slotOf(id).app === "texts" ? "texts" : "phone";
    this.activate(id);
    this.draw();
  }

  place(id, { beside = false, pinned = false } = {}) {
    if (this.slotOf(id)) return;
    const free = this.slots.find((slot) => !slot.pinned);
    const full = this.slots.length === PHONES_MAX;
    if (this.slots.length && (full || (free && !beside))) {
      const slot = free ?? this.slotOf(this.active) ?? this.slots[0];
      Object.assign(slot, { id, chatId: null, app: "chat" });
    } else {
      const slot = { id, chatId: null, app: "chat", pinned };
      slot.phone = new Phone(this.actionsOf(slot));
      this.slots.push(slot);
      element("phones").append(slot.phone.element);
    }
    this.attempt(() => this.refetch(id));
  }

  close(slot) {
    this.slots = this.slots.filter((other) => other !== slot);
    slot.phone.element.remove();
    for (const other of this.slots) other.pinned = false;
    this.activate(this.slots[0].id);
    this.draw();
  }

  pin(slot) {
    const pinned = !slot.pinned;
    for (const other of this.slots) other.pinned = other === slot && pinned;
    this.draw();
  }

  activate(id) {
    if (this.active === id) return;
    this.active = id;
    this.draw();
  }

  chatOf(slot) {
    const chats = this.data.get(slot.id)?.chats ?? [];
    return chats.find((chat) => chat.chat_id === slot.chatId) ?? chats[0] ?? null;
  }

  chooseTab(tab) {
    if (!tab) return;
    document.body.dataset.tab = tab;
    const slot = this.slotOf(this.active);
    if (slot && tab === "phone") slot.app = "chat";
    if (slot && tab === "texts") slot.app = "texts";
    this.draw();
  }

  // ---- what people do --------------------------------------------------------------------------------

  /** Everything one phone may ask of the desk. */
  actionsOf(slot) {
    const act = (request) => this.attempt(async () => {
      const answer = await request();
      this.soon(slot.id, () => this.refetch(slot.id));
      return answer;
    });
    return {
      activate: () => this.activate(slot.id),
      pin: () => this.pin(slot),
      close: () => this.close(slot),
      chooseApp: (app) => {
        slot.app = app;
        this.draw();
      },
      chooseChat: (chatId) => {
        slot.chatId = chatId;
        this.draw();
      },
      type: (chatId, text) => act(() => api.type(slot.id, chatId, text)),
      contact: (chatId) => act(() => api.contact(slot.id, chatId)),
      block: (blocked) => act(() => api.block(slot.id, blocked)),
      text: (body) => act(() => api.text(slot.id, body)),
      press: async (chatId, messageId, data) => {
        const answer = await act(() => api.press(slot.id, chatId, messageId, data));
        if (answer?.alert) slot.phone.toast(answer.alert);
      },
      openApp: async (url) => {
        const { id, phone } = slot;
        const opened = await this.attempt(() => api.app(id, url, isDark()));
        if (opened && slot.id === id) phone.miniApp.open(id, this.chatOf(slot).title, opened.url);
      },
      openLink: (url) => this.openLink(slot.id, url),
      openPicture,
    };
  }

  /** An address of the bot opens in the phone's own chat, as a tap would; true when it was one. */
  openLink(id, url) {
    const slot = this.slotOf(id);
    const match = /^(?:https?:\/\/(?:t|telegram)\.me\/|tg:\/\/resolve\?domain=)(\w+)[?&]?(?:.*?start=([\w-]+))?/i.exec(url);
    if (!slot || match?.[1].toLowerCase() !== this.state.bot_username.toLowerCase()) return false;
    const chat = this.data.get(id)?.chats.find((each) => each.kind === "private");
    if (!chat) return false;
    Object.assign(slot, { app: "chat", chatId: chat.chat_id });
    if (NARROW.matches) document.body.dataset.tab = "phone";
    this.draw();
    this.attempt(() => api.type(id, chat.chat_id, match[2] ? `/start ${match[2]}` : "/start"));
    return true;
  }

  typeCode(text) {
    const slot = this.slotOf(this.active);
    if (!slot) return;
    slot.app = "chat";
    const chat = this.data.get(slot.id)?.chats.find((each) => each.kind === "private");
    if (chat) slot.chatId = chat.chat_id;
    if (NARROW.matches) document.body.dataset.tab = "phone";
    this.draw();
    slot.phone.chat.composer.insert(text);
  }

  async addStranger(name) {
    const known = new Set(this.state.people.map((person) => person.id));
    const made = await api.addStranger(name);
    await this.refreshState();
    const id = made.id ?? this.state.people.find((person) => !known.has(person.id))?.id;
    if (id !== undefined) this.choose(id);
  }

  async borrow(id) {
    this.borrowed = id;
    if (id !== null && !this.data.has(id)) await this.attempt(() => this.refetch(id));
    this.draw();
  }

  // ---- drawing ---------------------------------------------------------------------------------------

  draw() {
    const shown = this.shownSlots();
    element("phones").dataset.count = shown.length;
    for (const slot of this.slots) {
      slot.phone.element.hidden = !shown.includes(slot);
      const person = this.data.get(slot.id);
      if (!person || slot.phone.element.hidden) continue;
      this.markRead(slot);
      slot.phone.show({
        person, chat: this.chatOf(slot), app: slot.app, bot: this.state.bot_username,
        unread: (place) => this.unread.at(slot.id, place),
        pinned: slot.pinned, active: shown.length > 1 && slot.id === this.active, alone: shown.length < 2,
      });
    }
    this.drawPeople();
    this.drawLetter();
    this.drawTabs();
    this.writeHash();
  }

  drawPeople() {
    this.people.update({ unread: this.unread.totals(), shown: new Set(this.shownSlots().map((slot) => slot.id)) });
  }

  /** The letter of the active phone's owner; beside a staff phone or a stranger's, that of the other phone. */
  drawLetter() {
    const typist = this.data.get(this.active) ?? null;
    const others = this.shownSlots().map((slot) => this.data.get(slot.id)).filter(Boolean);
    const own = typist?.role === "member" ? typist : null;
    const owner = this.data.get(this.borrowed) ?? own ?? others.find((person) => person.role === "member") ?? typist;
    this.letter.show({
      owner, typist, title: this.state.title,
      others: this.state.people.filter((person) => person.role === "member"),
    });
  }

  drawTabs() {
    const { tab } = document.body.dataset;
    const others = [...this.unread.totals()].filter(([id, count]) => id !== this.active && count > 0).length;
    const badges = { people: others, phone: this.unread.of(this.active, "sms"), texts: this.unread.at(this.active, "sms"), post: 0 };
    for (const button of element("tabs").children) {
      button.setAttribute("aria-pressed", String(button.dataset.tab === tab));
      button.toggleAttribute("data-badge", badges[button.dataset.tab] > 0);
    }
  }

  // ---- the address: #1001+42 are the phones of 1001 and 42 -------------------------------------------

  readHash() {
    const known = new Set(this.state.people.map((person) => person.id));
    const ids = location.hash.slice(1).split("+").map(Number).filter((id) => known.has(id)).slice(0, PHONES_MAX);
    if (!ids.length || ids.join("+") === this.slots.map((slot) => slot.id).join("+")) return ids.length > 0;
    for (const slot of this.slots) slot.phone.element.remove();
    this.slots = [];
    ids.forEach((id, index) => this.place(id, { beside: index > 0, pinned: index > 0 }));
    this.activate(ids[0]);
    return true;
  }

  writeHash() {
    const hash = `#${this.slots.map((slot) => slot.id).join("+")}`;
    if (this.slots.length && location.hash !== hash) history.replaceState(null, "", hash);
  }
}

sayPage();
prepareTheme();
prepareKeys();
const desk = new Desk();
desk.attempt(() => desk.start());
