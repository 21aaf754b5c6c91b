// The end of the way: the ballot on its way, the lock with its receipt, and every state in which nothing can be cast.

import { Refusal } from './client.js';
import { make, drawing } from './dom.js';
import { encodeQR } from './qr.js';
import { isSignedBy, receiptText } from './receipt.js';
import { acts, busy, button, isOffline, screen, sentence, wrongPlace } from './screen.js';
import { startCheck, startVote } from './start_screens.js';
import { tab } from './memory.js';
import { tellTelegram } from './telegram.js';

// What only staff can mend, or ought to hear of: these screens say how to reach them.
const SENDS_TO_STAFF = ['wrong_word', 'not_eligible', 'pack_locked_out', 'session_locked_out'];

export function sending(way) {
  const { turn } = way;
  const { intent } = tab.get('sent');
  way.send().then(
    () => way.turn === turn && way.swap('locked'),
    (error) => way.turn === turn && refused(way, error, intent),
  );
  return screen(way, 'sending.heading', sentence(way.words, 'sending.about'), make('div', { class: 'moving', role: 'presentation' }));
}

// What the service said to a ballot it did not take; the ballot is gone, the vote was not cast by it.
function refused(way, error, intent) {
  const { turn } = way;
  if (!(error instanceof Refusal)) throw error;
  if (error.refusal === 'too_many') {
    way.wait(error.words, error.retryAfterSeconds, () => way.turn === turn && way.swap('sending'));
    return;
  }
  way.stop = { state: error.refusal, words: error.words, intent };
  way.swap('stopped');
}

export function locked(way) {
  const { words, poll } = way;
  const kept = tab.get('locked');
  const isOwn = kept.receipt === kept.mark;
  const isMade = (tab.get('marks') ?? []).includes(kept.receipt);
  const isForeign = !kept.fresh && !isOwn && !isMade;
  const isSigned = isOwn && isSignedBy(poll.signing_key, poll.uuid, kept);
  return screen(
    way,
    'locked.heading',
    sentence(words, 'locked.at', { at: words.moment(kept.at) }),
    kept.fresh || isOwn ? null : sentence(words, isMade ? 'locked.earlier' : 'locked.not_here', {}, isMade ? 'notice' : 'wrong'),
    isForeign ? theft(way, kept.intent) : null,
    make('h2', {}, words.say('locked.receipt')),
    make('p', { class: 'mark large' }, kept.receipt),
    isOwn ? make('p', { class: 'good' }, words.say('locked.same_mark')) : null,
    isOwn && !isSigned ? sentence(words, 'locked.unsigned', {}, 'wrong') : null,
    sentence(words, 'locked.keep'),
    keeping(way, kept, isSigned),
    sentence(words, 'locked.no_paper', {}, 'quiet'),
    acts(
      way.telegram ? button(words, 'button.close', () => tellTelegram('web_app_close')) : null,
      button(words, 'button.another', () => way.restart(), 'second'),
    ),
  );
}

// Print, copy, or photograph: the receipt with what proves it.
function keeping(way, kept, isSigned) {
  const { words, poll } = way;
  const text = receiptText(poll.uuid, kept, isSigned);
  const copied = make('span', { role: 'status', class: 'quiet' });
  const copy = button(words, 'button.copy', async () => {
    try {
      await navigator.clipboard.writeText(text);
      copied.textContent = words.say('keep.copied');
    } catch {
      copied.textContent = words.say('keep.not_copied');
    }
  }, 'second little');
  const print = button(words, 'button.print', () => window.print(), 'second little');
  return make(
    'div',
    { class: 'keep' },
    drawing(encodeQR(text, 'raw', { ecc: 'low' }), words.say('keep.qr')),
    make('div', {}, sentence(words, 'keep.about', {}, 'quiet'), acts(copy, print), copied),
  );
}

// The codes are good: nothing more was asked.
export function checked(way) {
  const { words, stop } = way;
  const isLocked = Boolean(stop.lock);
  return screen(
    way,
    'checked.heading',
    isLocked ? sentence(words, 'checked.voted', { at: words.moment(stop.lock.at) }) : sentence(words, 'checked.not_voted'),
    isLocked ? theft(way, way.pack.intent) : null,
    acts(
      isLocked || way.poll.state !== 'open' ? null : button(words, 'button.vote', () => startVote(way)),
      button(words, 'button.check_another', () => {
        way.typed = { pack: '', vote: '' };
        startCheck(way);
      }, 'second'),
    ),
  );
}

export function stopped(way) {
  const { words, stop } = way;
  const heading = words.has(`stop.${stop.state}.heading`) ? `stop.${stop.state}.heading` : 'stop.heading';
  return screen(way, heading, ...reasons(way), ...nextSteps(way));
}

function reasons(way) {
  const { words, stop, poll } = way;
  if (stop.lock) return lockReasons(way);
  const parts = [];
  if (stop.words) parts.push(make('p', {}, stop.words));
  else if (stop.state === 'not_open' || stop.state === 'closed') {
    parts.push(make('p', {}, poll.says[words.language].states[stop.state]));
  } else if (words.has(`stop.${stop.state}`)) parts.push(sentence(words, `stop.${stop.state}`));
  if (words.has(`stop.${stop.state}.next`)) parts.push(sentence(words, `stop.${stop.state}.next`));
  if (stop.state === 'already_voted') parts.push(theft(way, stop.intent));
  if (SENDS_TO_STAFF.includes(stop.state)) parts.push(contact(way));
  return parts;
}

function lockReasons(way) {
  const { words, stop } = way;
  const { lock, state, warns, isNoted, from } = stop;
  const at = words.moment(lock.at);
  const isHere = state === 'locked_here' && lock.receipt;
  const kind = lock.way === 'post' ? 'post' : (isHere ? 'here' : 'elsewhere');
  const parts = [sentence(words, `lock.${kind}`, { at })];
  if (isHere) parts.push(make('h2', {}, words.say('locked.receipt')), make('p', { class: 'mark' }, lock.receipt));
  if (from === 'vote') parts.push(sentence(words, isNoted ? 'lock.noted' : 'lock.warned', {}, 'notice'));
  else if (warns) parts.push(sentence(words, 'lock.warning', {}, 'notice'));
  parts.push(theft(way, way.pack.intent));
  return parts;
}

// As the chat's "This was not me": the first vote stands, and people look into it.
function theft(way, intent) {
  const { words } = way;
  const tell = button(words, 'button.not_mine', () => {
    if (isOffline(way)) return;
    busy(way, 'busy.tell', (stands) => way.guard(async () => {
      await way.disown(intent);
      if (stands()) way.go('told');
    }));
  }, 'second grave');
  return make('div', { class: 'theft' }, sentence(words, 'theft.about'), acts(tell), wrongPlace(), contact(way));
}

// Staff have heard that it was somebody else.
export function told(way) {
  const { words } = way;
  return screen(way, 'told.heading', sentence(words, 'told.about'), contact(way), acts(startAgain(way, 'second')));
}

function contact(way) {
  const { words, poll } = way;
  return sentence(words, poll.contact ? 'contact.at' : 'contact.letter', { contact: poll.contact });
}

function startAgain(way, kind) {
  return button(way.words, 'button.again', () => {
    way.begin();
    way.typed = { pack: '', vote: '' };
    way.go(way.first());
  }, kind);
}

function nextSteps(way) {
  const { words, stop } = way;
  const again = startAgain(way, stop.lock ? null : 'second');
  if (!stop.lock || stop.from === 'vote') return [acts(again)];
  const insist = button(words, 'button.insist', () => way.go('word'), 'second grave');
  return [acts(again, button(words, 'button.check', () => startCheck(way), 'second')), make('details', {}, make('summary', {}, words.say('lock.insist')), acts(insist))];
}
