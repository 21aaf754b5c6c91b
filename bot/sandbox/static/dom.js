// Making elements: plain ones, icons, avatars, times, and the few tags a message may carry.

import { dayText } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const HUES = 8;
const ALLOWED = new Set(["A", "B", "STRONG", "I", "EM", "U", "INS", "S", "DEL", "CODE", "PRE", "BLOCKQUOTE", "BR"]);
// An address, or a bot command that does not begin inside a word or a path.
const LINKS = /(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)])|((?<![\w/<])\/[a-z][a-z0-9_]{1,31}(?![\w/]))/g;

/** An element with attributes; functions become listeners, null and false are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A symbol of the page's own sprite. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** A button that shows only an icon, so its label is spoken and shown as a tip. */
export function iconButton(name, label, click, attributes = {}) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, click, ...attributes },
    icon(name));
}

/** A round with initials; the colour follows the name, so a person looks the same everywhere. */
export function avatar(name, role = "member") {
  const words = name.split(/\s+/).filter(Boolean);
  const initials = (words[0]?.[0] ?? "?") + (words.length > 1 ? words.at(-1)[0] : "");
  const sum = [...name].reduce((total, letter) => (total * 31 + letter.codePointAt(0)) % 9973, 7);
  return h("span", { class: `avatar hue-${sum % HUES} is-${role}`, "aria-hidden": "true" }, initials.toUpperCase());
}

export function clock(iso) {
  return new Date(iso).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

export function day(iso) {
  const date = new Date(iso);
  return dayText(date, date.getFullYear() !== new Date().getFullYear());
}

/** A British mobile number in the groups people say it in; any other as it came. */
export function phoneText(number) {
  return (number ?? "").replace(/^\+44(7\d{3})(\d{6})$/, "+44 $1 $2");
}

export function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/**
 * A message's text as nodes. The server's HTML is already safe; it is rebuilt from the allowed tags all the
 * same, so a mistake there shows as plain text here. Addresses and /commands become things to press.
 */
export function richText(html, { onCommand, onLink }) {
  const source = new DOMParser().parseFromString(html, "text/html").body;
  const target = document.createDocumentFragment();
  for (const child of source.childNodes) target.append(copy(child, { onCommand, onLink }, false));
  return target;
}

function copy(node, actions, verbatim) {
  if (node.nodeType === Node.TEXT_NODE) {
    return verbatim ? document.createTextNode(node.data) : linkify(node.data, actions);
  }
  const inside = document.createDocumentFragment();
  if (node.nodeType !== Node.ELEMENT_NODE) return inside;
  const plain = verbatim || ["A", "CODE", "PRE"].includes(node.tagName);
  for (const child of node.childNodes) inside.append(copy(child, actions, plain));
  if (!ALLOWED.has(node.tagName)) return inside;
  if (node.tagName === "A") return link(node.getAttribute("href") ?? "", inside, actions.onLink);
  const element = document.createElement(node.tagName);
  element.append(inside);
  return element;
}

function linkify(text, actions) {
  const pieces = document.createDocumentFragment();
  let from = 0;
  for (const match of text.matchAll(LINKS)) {
    pieces.append(text.slice(from, match.index));
    pieces.append(match[1] ? link(match[1], match[1], actions.onLink) : command(match[2], actions.onCommand));
    from = match.index + match[0].length;
  }
  pieces.append(text.slice(from));
  return pieces;
}

function command(text, onCommand) {
  return h("button", { type: "button", class: "command-link", click: () => onCommand(text) }, text);
}

/** A link that the caller may take over (an address of the bot itself opens in the chat). */
export function link(href, label, onLink) {
  if (!/^(https?|tel|mailto|tg):/i.test(href)) return h("span", {}, label);
  const follow = (event) => {
    if (onLink(href)) event.preventDefault();
  };
  return h("a", { href, target: "_blank", rel: "noopener noreferrer", click: follow }, label);
}

/** Left and right arrows, Home and End move along a row of tabs and choose. */
export function arrowKeys(row, selector = "[role=tab]") {
  row.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    const all = [...row.querySelectorAll(selector)];
    const here = all.indexOf(document.activeElement);
    if (here < 0) return;
    event.preventDefault();
    const next = all[Math.min(Math.max(here + step, 0), all.length - 1)];
    next.focus();
    if (next.getAttribute("role") === "tab") next.click();
  });
}
