// A column of messages that is kept, not redrawn: new ones slide in, edited ones flash, deleted ones fold away.

import { calm, clock, day, h, iconButton } from "./dom.js";
import { say } from "./words.js";

const NEAR_BOTTOM_PX = 90;
const RUN_MINUTES = 10;

export class Thread {
  /** `make(message)` draws one message; `mine(message)` says whether the phone's owner wrote it. */
  constructor({ label, make, mine, empty }) {
    Object.assign(this, { make, mine, empty });
    this.rows = new Map();
    this.key = null;
    this.missed = 0;
    this.log = h("div", { class: "log", role: "log", "aria-label": label, "aria-live": "polite", tabindex: "0" });
    this.newer = iconButton("down", say("To the newest message"), () => this.toEnd(), { hidden: true });
    this.newer.classList.add("newer");
    this.log.addEventListener("scroll", () => this.onScroll(), { passive: true });
    this.element = h("div", { class: "thread" }, this.log, this.newer);
    new ResizeObserver(() => this.stuck && this.toEnd("instant")).observe(this.log);
    this.stuck = true;
  }

  /** Show `messages` of the conversation `key`; another key than before starts afresh, without animation. */
  show(key, messages) {
    const fresh = key !== this.key;
    if (fresh) {
      this.log.replaceChildren();
      this.rows.clear();
      this.key = key;
      this.stuck = true;
    }
    const added = this.reconcile(withDays(messages, this.mine), fresh);
    this.drawEmpty(messages.length === 0);
    if (this.stuck || added.some((message) => this.mine(message))) this.toEnd(fresh ? "instant" : "smooth");
    else this.countMissed(added.length);
  }

  reconcile(items, fresh) {
    const added = [];
    const wanted = new Set(items.map((item) => item.key));
    for (const [key, row] of this.rows) {
      if (!wanted.has(key)) this.remove(key, row);
    }
    let cursor = this.skip(this.log.firstElementChild);
    for (const item of items) {
      const { row, isNew } = this.row(item, fresh);
      if (isNew && item.message) added.push(item.message);
      if (cursor && !cursor.isConnected) cursor = row.node; // an edit took its place just now
      if (row.node === cursor) cursor = this.skip(cursor.nextElementSibling);
      else this.log.insertBefore(row.node, cursor);
      row.node.classList.toggle("run-first", Boolean(item.first));
      row.node.classList.toggle("run-last", Boolean(item.last));
    }
    return added;
  }

  skip(node) {
    let next = node;
    while (next?.classList.contains("leaving") || next?.classList.contains("empty")) next = next.nextElementSibling;
    return next;
  }

  row(item, fresh) {
    const signature = JSON.stringify(item.message ?? item.day);
    const known = this.rows.get(item.key);
    if (known?.signature === signature) return { row: known, isNew: false };
    const node = item.message ? this.make(item.message) : h("div", { class: "day" }, h("span", {}, item.day));
    if (known) {
      node.classList.add("changed");
      known.node.replaceWith(node);
    } else if (!fresh) node.classList.add("arriving");
    const row = { node, signature };
    this.rows.set(item.key, row);
    return { row, isNew: !known };
  }

  async remove(key, { node }) {
    this.rows.delete(key);
    if (calm()) {
      node.remove();
      return;
    }
    node.classList.add("leaving");
    const frames = [
      { height: `${node.offsetHeight}px`, opacity: 1 },
      { height: `${node.offsetHeight}px`, opacity: 0, transform: "scale(.92)", filter: "blur(3px)", offset: 0.6 },
      { height: 0, opacity: 0, marginTop: 0, transform: "scale(.92)" },
    ];
    await node.animate(frames, { duration: 320, easing: "ease-in-out" }).finished.catch(() => null);
    node.remove();
  }

  drawEmpty(isEmpty) {
    const shown = this.log.querySelector(".empty");
    if (!isEmpty) shown?.remove();
    else if (!shown) this.log.append(this.empty());
  }

  onScroll() {
    this.stuck = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_BOTTOM_PX;
    if (this.stuck) this.missed = 0;
    this.newer.hidden = this.stuck;
    if (this.stuck) delete this.newer.dataset.count;
  }

  countMissed(count) {
    this.missed += count;
    if (this.missed) this.newer.dataset.count = this.missed;
  }

  toEnd(behavior = "smooth") {
    this.stuck = true;
    this.log.scrollTo({ top: this.log.scrollHeight, behavior: calm() ? "instant" : behavior });
  }
}

/** Messages with a line per day between them, each told whether it begins or ends a run of one sender. */
function withDays(messages, mine) {
  const items = [];
  let before = null;
  for (const message of messages) {
    const today = day(message.date);
    const newDay = !before || day(before.date) !== today;
    if (newDay) items.push({ key: `day ${today}`, day: today });
    const first = newDay || !sameRun(before, message, mine);
    if (first && before) items.findLast((item) => item.message).last = true;
    items.push({ key: `message ${message.id}`, message, first });
    before = message;
  }
  if (before) items.at(-1).last = true;
  return items;
}

function sameRun(before, message, mine) {
  const apart = (new Date(message.date) - new Date(before.date)) / 60_000;
  return mine(before) === mine(message) && before.from_name === message.from_name && apart < RUN_MINUTES;
}

/** Time under a message, and whether it was edited. */
export function stamp(message, extra = null) {
  return h("span", { class: "stamp" }, message.edited ? h("i", {}, say("edited")) : null,
    h("time", { datetime: message.date }, clock(message.date)), extra);
}
