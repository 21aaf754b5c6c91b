// Reads the two codes of a letter and tells a slip in one while it is typed, before anything is sent.
// The rule of the check characters is voting/codes/format's: its weights come from the poll's id.

import { digestOf, toHex, toNumber } from './group.js';
import { ALPHABET } from './mark.js';

export const LENGTHS = { pack: 9, vote: 12 };
const PRIME = ALPHABET.length;
const LABELS = new Set(('AND ARE COD CODAU CODE CODES DDA DIOLCH DYMA FROM FY GWELWCH HELO HELLO HERE HI IS IT ITS LETTER MY OS '
  + 'PACK PECYN PLEASE PLEIDLAIS PLEIDLEISIO PLIS SECURITY THANK THANKS THE VOTE VOTING YN YOU YW').split(' '));
const GAPS = /[\s,;:()]+/;
const WINDOW_MAX = 12; // a vote code spelled out one character at a time
const LOOK_ALIKES = { 0: 'DQ', O: 'DQ', 1: '7JT', I: '7JT', L: '7JT' };
const TWINS = { А: 'A', В: 'B', Е: 'E', К: 'K', М: 'M', Н: 'H', Р: 'P', С: 'C', Т: 'T', У: 'Y', Х: 'X', Α: 'A', Β: 'B', Ε: 'E', Ζ: 'Z', Η: 'H', Κ: 'K', Μ: 'M', Ν: 'N', Ρ: 'P', Τ: 'T', Υ: 'Y', Χ: 'X' };

export class Codes {
  constructor(pollId) {
    this.rules = Object.fromEntries(Object.entries(LENGTHS).map(([kind, length]) => [kind, rule(pollId, kind, length)]));
  }

  isRight(kind, text) {
    const { weights, constant } = this.rules[kind];
    if (text.length !== LENGTHS[kind] || !isClean(text)) return false;
    return weights.reduce((sum, weight, place) => sum + weight * ALPHABET.indexOf(text[place]), 0) % PRIME === constant;
  }

  // What a field holds: `found` codes by kind, and what is wrong with the rest of it for a field of this kind.
  // A problem is null, or { reason, characters }; the reasons are those of the chat.
  read(text, kind) {
    const whole = plain(text);
    const found = this.#found(text, whole);
    if (found[kind]) return { found, problem: null };
    return { found, problem: problemOf(whole, LENGTHS[kind], Object.keys(found).length > 0) };
  }

  #found(text, whole) {
    const found = {};
    const views = [whole, ...windows(text.split(GAPS).map(plain).filter(Boolean))];
    for (const view of views) {
      for (const kind of Object.keys(LENGTHS)) {
        if (!found[kind] && this.isRight(kind, view)) found[kind] = view;
      }
    }
    const cuts = [[LENGTHS.pack, 'pack', 'vote'], [LENGTHS.vote, 'vote', 'pack']];
    for (const [length, first, second] of cuts) {
      const [one, other] = [whole.slice(0, length), whole.slice(length)];
      if (this.isRight(first, one) && this.isRight(second, other)) Object.assign(found, { [first]: one, [second]: other });
    }
    return found;
  }
}

// Neighbouring words that together may be a code: "ABC DEF GHJ" is three of them.
function windows(words) {
  return words.flatMap((_, first) => (
    Array.from({ length: WINDOW_MAX }, (__, more) => words.slice(first, first + more + 1).join(''))
  ));
}

// Upper case, without dashes and gaps, without the words that people paste around codes.
export function plain(text) {
  const words = text.normalize('NFKC').toUpperCase().split(GAPS).filter((word) => !LABELS.has(word));
  return Array.from(words.join(''), (char) => TWINS[char] ?? char).filter((char) => /[\p{L}\p{N}]/u.test(char)).join('');
}

// As on paper: in three groups.
export function printed(kind, code) {
  const size = LENGTHS[kind] / 3;
  return [0, 1, 2].map((group) => code.slice(group * size, (group + 1) * size)).join('-');
}

// What a character that codes never have may be on paper.
export function betterFor(characters) {
  return [...new Set([...characters].flatMap((char) => [...(LOOK_ALIKES[char] ?? '')]))].sort();
}

function problemOf(whole, length, isOther) {
  const characters = [...new Set([...whole].filter((char) => !ALPHABET.includes(char)))];
  if (!whole) return { reason: 'empty', characters };
  if (isOther) return { reason: 'other_code', characters: [] };
  if (characters.length) return { reason: 'bad_character', characters };
  if (whole.length < length) return { reason: 'too_short', characters };
  return { reason: whole.length > length ? 'too_long' : 'check_failed', characters };
}

function isClean(text) {
  return [...text].every((char) => ALPHABET.includes(char));
}

function rule(pollId, kind, length) {
  const digest = (label) => digestOf(`ballotline check 1\0${kind}\0${pollId}\0${label}`);
  const weights = Array.from({ length: PRIME - 1 }, (_, index) => index + 1)
    .map((weight) => [toHex(digest(`weight ${weight}`)), weight])
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    weights: weights.slice(0, length).map(([, weight]) => weight),
    constant: Number(toNumber(digest('constant')) % BigInt(PRIME)),
  };
}
