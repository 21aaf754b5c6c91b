// What the page remembers, and no more: on this device its session, the language and which rule was accepted; in this
// tab the ballot on its way, the marks made here and the receipt. Codes and choices are never among it.

import { toHex } from './group.js';

const PREFIX = 'ballotline.';

class Shelf {
  #place;

  #own = new Map(); // where a browser allows no storage, it lasts as long as the page

  constructor(open) {
    try {
      this.#place = open();
      this.#place.getItem(PREFIX);
    } catch {
      this.#place = null;
    }
  }

  get(name) {
    const text = this.#place?.getItem(PREFIX + name) ?? this.#own.get(name) ?? null;
    try {
      return text === null ? null : JSON.parse(text);
    } catch {
      return null; // somebody else wrote it
    }
  }

  put(name, value) {
    const text = JSON.stringify(value);
    this.#own.set(name, text);
    try {
      this.#place?.setItem(PREFIX + name, text);
    } catch {
      this.#place = null; // full or forbidden: this page alone remembers
    }
  }

  drop(name) {
    this.#own.delete(name);
    this.#place?.removeItem(PREFIX + name);
  }
}

export const phone = new Shelf(() => window.localStorage);
export const tab = new Shelf(() => window.sessionStorage);

// 32 hexadecimal digits, the same for every tab of this browser.
export function sessionOf(uuid) {
  const name = `session.${uuid}`;
  const kept = phone.get(name);
  if (typeof kept === 'string' && /^[0-9a-f]{32}$/.test(kept)) return kept;
  const fresh = toHex(crypto.getRandomValues(new Uint8Array(16)));
  phone.put(name, fresh);
  return fresh;
}
