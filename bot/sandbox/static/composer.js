// The line at the bottom of a chat: typing, the list of commands, and the keyboard the bot offers.

import { h, icon, iconButton } from "./dom.js";
import { say } from "./words.js";

const LENGTH_MAX = 4096;

export class Composer {
  constructor({ onSend, onContact, onApp, placeholder = say("Message") }) {
    Object.assign(this, { onSend, onContact });
    this.appKey = h("button", { type: "button", class: "app-key", "aria-haspopup": "dialog", hidden: true, click: () => onApp(this.app.url) });
    this.drafts = new Map();
    this.key = null;
    this.commands = [];
    this.keysOpen = true;
    this.input = h("textarea", {
      rows: 1, placeholder, "aria-label": placeholder, maxlength: LENGTH_MAX, autocomplete: "off", spellcheck: "false",
      input: () => this.onInput(), keydown: (event) => this.onKey(event),
    });
    this.send = iconButton("send", say("Send"), null, { type: "submit" });
    this.send.classList.add("send");
    this.menuButton = iconButton("slash", say("Commands"), () => this.toggleMenu(), { "aria-expanded": "false" });
    this.keysButton = iconButton("keys", say("Keyboard of the bot"), () => this.toggleKeys(), { "aria-expanded": "true" });
    this.menu = h("div", { class: "commands", role: "listbox", "aria-label": say("Commands"), hidden: true });
    this.keys = h("div", { class: "reply-keys", role: "group", "aria-label": say("Keyboard of the bot"), hidden: true });
    const submit = (event) => {
      event.preventDefault();
      this.submit(this.input.value);
    };
    this.form = h("form", { class: "composer", submit }, this.appKey, this.menuButton,
      h("div", { class: "field" }, this.input, this.keysButton), this.send);
    this.element = h("div", { class: "typing" }, this.menu, this.form, this.keys);
    this.element.addEventListener("focusout", (event) => {
      if (!this.element.contains(event.relatedTarget)) this.showMenu([]);
    });
  }

  /** Turn to a conversation; what was typed into the one before is kept for later. */
  show(key, { commands = [], app = null, keyboard = null, contacts = null }) {
    if (key !== this.key) {
      if (this.key !== null) this.drafts.set(this.key, this.input.value);
      this.key = key;
      this.input.value = this.drafts.get(key) ?? "";
      this.showMenu([]);
      this.grow();
    }
    this.commands = commands;
    this.app = app;
    this.appKey.hidden = app === null;
    this.appKey.textContent = app?.text ?? "";
    this.menuButton.hidden = commands.length === 0;
    this.drawKeys(keyboard, contacts);
  }

  drawKeys(keyboard, contacts) {
    const signature = JSON.stringify([keyboard, contacts]);
    if (signature !== this.keysDrawn) {
      this.keysDrawn = signature;
      this.keysOpen = true;
      this.keys.replaceChildren(...(keyboard ?? []).map((row, y) => h("div", { class: "row" }, row.map((label, x) =>
        h("button", {
          type: "button",
          click: () => (contacts?.[y]?.[x] ? this.onContact() : this.onSend(label)),
        }, contacts?.[y]?.[x] ? icon("contact") : null, label)))));
    }
    this.keysButton.hidden = !keyboard?.length;
    this.keys.hidden = !keyboard?.length || !this.keysOpen;
    this.keysButton.setAttribute("aria-expanded", String(!this.keys.hidden));
  }

  toggleKeys() {
    this.keysOpen = !this.keysOpen;
    this.keys.hidden = !this.keysOpen;
    this.keysButton.setAttribute("aria-expanded", String(this.keysOpen));
  }

  submit(text) {
    if (!text.trim()) return;
    this.input.value = "";
    this.onInput();
    this.onSend(text.trim());
  }

  /** Put a text where the cursor is, set off by spaces, as if it had been copied from paper. */
  insert(text) {
    const { selectionStart: start, selectionEnd: end, value } = this.input;
    const before = value.slice(0, start);
    const space = before && !/\s$/.test(before) ? " " : "";
    this.input.value = before + space + text + value.slice(end);
    this.input.setSelectionRange(start + space.length + text.length, start + space.length + text.length);
    this.onInput();
    this.input.focus();
    this.waiting = this.element.hidden; // the chat has not begun: be ready once it has
  }

  setHidden(hidden) {
    this.element.hidden = hidden;
    if (hidden || !this.waiting) return;
    this.waiting = false;
    this.input.focus();
  }

  onInput() {
    this.grow();
    this.send.disabled = !this.input.value.trim();
    const typed = /^\/\w*$/.test(this.input.value) ? this.input.value.slice(1).toLowerCase() : null;
    this.showMenu(typed === null ? [] : this.commands.filter((each) => each.command.startsWith(typed)));
  }

  grow() {
    this.send.disabled = !this.input.value.trim();
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight}px`;
  }

  onKey(event) {
    const open = !this.menu.hidden;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      const chosen = open ? this.menu.querySelector("[aria-selected=true]") : null;
      if (chosen) chosen.click();
      else this.submit(this.input.value);
    } else if (event.key === "Escape" && open) this.showMenu([]);
    else if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.moveInMenu(event.key === "ArrowDown" ? 1 : -1);
    }
  }

  moveInMenu(step) {
    const all = [...this.menu.children];
    const here = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
    const next = (here + step + all.length) % all.length;
    all.forEach((each, index) => each.setAttribute("aria-selected", String(index === next)));
    all[next].scrollIntoView({ block: "nearest" });
  }

  toggleMenu() {
    this.showMenu(this.menu.hidden ? this.commands : []);
    if (!this.menu.hidden) this.input.focus();
  }

  showMenu(commands) {
    this.menu.hidden = commands.length === 0;
    this.menuButton.setAttribute("aria-expanded", String(!this.menu.hidden));
    this.menu.replaceChildren(...commands.map(({ command, description }, index) => h("button", {
      type: "button", role: "option", tabindex: "-1", "aria-selected": String(index === 0),
      mousedown: (event) => event.preventDefault(),
      click: () => this.submit(`/${command}`),
    }, h("b", {}, `/${command}`), h("span", {}, description))));
  }
}
