// The list on the left: who has a phone, who has something unread, and a way to add a stranger.

import { arrowKeys, avatar, h, icon, phoneText } from "./dom.js";
import { say } from "./words.js";

const SHOWN_MAX = 150;
const GROUPS = [["staff", say("Staff")], ["stranger", say("Strangers")], ["member", say("Members")]];
const FILTERS = [["all", say("All")], ["unread", say("Unread")], ...GROUPS];

export class People {
  constructor(root, { onChoose, onBeside, onAdd }) {
    this.onChoose = onChoose;
    this.onBeside = onBeside;
    this.filter = "all";
    this.people = [];
    this.unread = new Map();
    this.shown = new Set();
    this.search = h("input", {
      type: "search", placeholder: say("Name, number or phone"), "aria-label": say("Search people"), autocomplete: "off",
      input: () => this.draw(),
    });
    this.chips = h("div", { class: "chips", role: "group", "aria-label": say("Show") });
    this.list = h("div", { class: "people-list" });
    arrowKeys(this.list, ".person");
    root.append(
      h("div", { class: "search" }, icon("search"), this.search),
      this.chips,
      this.list,
      this.strangerForm(onAdd),
    );
  }

  strangerForm(onAdd) {
    const name = h("input", { type: "text", placeholder: say("Stranger’s name"), "aria-label": say("Name of the stranger"), maxlength: 60, required: true });
    const submit = (event) => {
      event.preventDefault();
      if (name.value.trim()) onAdd(name.value.trim());
      name.value = "";
    };
    return h("form", { class: "add", submit }, name,
      h("button", { class: "button", "aria-label": say("Add a stranger"), title: say("Add a stranger") }, icon("plus"), say("Add")));
  }

  /** Everybody, the unread counts by id, and the ids whose phones are on the desk. */
  update({ people = this.people, unread = this.unread, shown = this.shown }) {
    Object.assign(this, { people, unread, shown });
    this.draw();
  }

  draw() {
    this.drawChips();
    const found = this.people.filter((person) => this.matches(person));
    const signature = JSON.stringify([this.filter, found.map(({ id, name, phone, role }) => [id, name, phone, role])]);
    if (signature !== this.drawn) this.drawList(found);
    this.drawn = signature;
    for (const row of this.list.querySelectorAll(".person")) this.mark(row);
  }

  drawList(found) {
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    let room = SHOWN_MAX;
    const sections = [];
    for (const [role, label] of GROUPS) {
      const group = found.filter((person) => person.role === role);
      if (!group.length) continue;
      const rows = group.slice(0, room).map((person) => this.row(person));
      room -= rows.length;
      sections.push(h("section", {}, h("h2", {}, label, h("span", {}, String(group.length))), h("ul", {}, rows)));
    }
    if (found.length > SHOWN_MAX) sections.push(h("p", { class: "hint" }, say("{n} more: search to find them.", { n: found.length - SHOWN_MAX })));
    if (!found.length) sections.push(h("p", { class: "hint" }, this.filter === "unread" ? say("Everything has been read.") : say("Nobody found.")));
    this.list.replaceChildren(...sections);
    if (focused) this.list.querySelector(`[data-id="${focused}"]`)?.focus();
  }

  /** Badge and highlight change in place, so that a press is never lost to a redrawn row. */
  mark(row) {
    const id = Number(row.dataset.id);
    const unread = this.unread.get(id) ?? 0;
    const badge = row.querySelector(".badge");
    badge.hidden = !unread;
    badge.textContent = unread > 99 ? "99+" : String(unread);
    row.setAttribute("aria-label", unread ? say("{name}, {n} unread", { name: row.dataset.label, n: unread }) : row.dataset.label);
    if (this.shown.has(id)) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }

  drawChips() {
    const signature = JSON.stringify([this.filter, FILTERS.map(([key]) => this.count(key))]);
    if (signature === this.chipsDrawn) return;
    this.chipsDrawn = signature;
    const chips = FILTERS.filter(([key]) => ["all", "unread", this.filter].includes(key) || this.count(key) > 0);
    const focused = this.chips.contains(document.activeElement);
    this.chips.replaceChildren(...chips.map(([key, label]) => h("button", {
      type: "button", class: "chip", "aria-pressed": String(this.filter === key),
      click: () => {
        this.filter = key;
        this.draw();
      },
    }, label, key === "unread" && this.count(key) ? h("b", {}, String(this.count(key))) : null)));
    if (focused) this.chips.querySelector("[aria-pressed=true]").focus();
  }

  count(key) {
    if (key === "unread") return this.people.filter((person) => this.unread.get(person.id)).length;
    return this.people.filter((person) => person.role === key).length;
  }

  matches(person) {
    if (this.filter === "unread" && !this.unread.get(person.id)) return false;
    if (!["all", "unread", person.role].includes(this.filter)) return false;
    const text = `${person.name} ${person.member_no ?? ""} ${(person.phone ?? "").replaceAll(" ", "")}`.toLowerCase();
    return this.search.value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  row(person) {
    const choose = (event) => (event.shiftKey || event.ctrlKey || event.metaKey ? this.onBeside : this.onChoose)(person.id);
    return h("li", {}, h("button", {
      type: "button", class: "person", "data-id": person.id, "data-label": `${person.name}, ${say(person.role)}`, click: choose,
    },
    avatar(person.name, person.role),
    h("span", { class: "who" }, h("strong", {}, person.name),
      h("small", {}, [person.member_no, phoneText(person.phone)].filter(Boolean).join(" · ") || say("No number"))),
    h("span", { class: "badge", hidden: true })));
  }
}
