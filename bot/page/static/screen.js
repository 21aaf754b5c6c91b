// What every step's screen is made of: a heading that takes the focus, sentences, buttons, and what went wrong.

import { make } from './dom.js';

export function screen(way, key, ...parts) {
  const heading = make('h1', { tabindex: '-1', id: 'heading' }, way.words.say(key));
  const notice = way.notice ? make('p', { class: 'notice' }, way.notice) : null;
  way.notice = null;
  return make('section', { class: 'card', 'aria-labelledby': 'heading' }, heading, notice, ...parts);
}

export function sentence(words, key, facts = {}, kind = null) {
  return make('p', { class: kind }, words.say(key, facts));
}

export function button(words, key, onclick, kind = null) {
  return make('button', { type: 'button', class: kind, onclick }, words.say(key));
}

export function acts(...buttons) {
  return make('div', { class: 'acts' }, ...buttons);
}

// A place for what went wrong: read out at once when something is put there.
export function wrongPlace() {
  return make('p', { class: 'wrong', role: 'alert', id: 'wrong' });
}

// Says what went wrong in a screen; an empty sentence takes it away.
export function tellWrong(words) {
  const place = document.getElementById('wrong');
  if (place) place.textContent = words;
}

// Runs what a press asks for, once: its buttons rest meanwhile, and the status says what is going on.
export async function busy(way, key, work) {
  const card = document.querySelector('#page .card');
  if (card.getAttribute('aria-busy') === 'true') return;
  const { turn } = way;
  const resting = [...card.querySelectorAll('button, input')].filter((element) => !element.disabled);
  const focused = document.activeElement;
  tellWrong('');
  card.setAttribute('aria-busy', 'true');
  for (const element of resting) element.disabled = true;
  way.tell(way.words.say(key));
  try {
    await work(() => way.turn === turn);
  } finally {
    if (way.turn === turn) {
      card.removeAttribute('aria-busy');
      for (const element of resting) element.disabled = false;
      focused?.focus?.();
      way.tell('');
    }
  }
}

// Before anything is sealed or asked: says at once that there is no connection.
export function isOffline(way) {
  if (navigator.onLine !== false) return false;
  tellWrong(way.words.say('offline.now'));
  return true;
}
