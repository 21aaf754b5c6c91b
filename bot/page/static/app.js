// Starts the page: reads what it is about, the language, the words; shows one step after the other.

import { Client, Refusal } from './client.js';
import { Codes } from './codes.js';
import * as codeScreens from './code_screens.js';
import { make } from './dom.js';
import * as endScreens from './end_screens.js';
import { phone } from './memory.js';
import * as paperScreens from './paper_screens.js';
import { button, tellWrong } from './screen.js';
import { Sealer } from './sealer.js';
import * as startScreens from './start_screens.js';
import { readFragment, tellTelegram } from './telegram.js';
import { Way } from './way.js';
import { Words } from './words.js';

const SCREENS = { ...startScreens, ...codeScreens, ...paperScreens, ...endScreens };
const BASE = '/vote';
const place = document.getElementById('page');
const status = document.getElementById('status');
const trouble = document.getElementById('trouble');

async function start() {
  const { packCode, telegram } = readFragment();
  if (telegram?.scheme) document.documentElement.dataset.scheme = telegram.scheme;
  if (!window.isSecureContext || !crypto.subtle || typeof Worker === 'undefined') {
    stop('unfit');
    return;
  }
  const client = new Client(BASE, (seconds, isOffline) => tellPause(way, client, seconds, isOffline));
  let way = null;
  const poll = await client.json('/poll.json');
  way = new Way({ poll, client, sealer: new Sealer(), telegram, packCode, show });
  way.codesOf = new Codes(poll.id);
  way.tell = (words) => { status.textContent = words; };
  way.speak = (tag) => speak(way, tag);
  way.guard = (work, kind) => guard(way, work, kind);
  way.wait = (words, seconds, again) => wait(way, words, seconds, again);
  await speak(way, fitting(poll, telegram), false);
  if (telegram?.language && phone.get('language') === null) phone.put('language', way.words.language);
  if (poll.election_hash) await readPaper(way);
  window.addEventListener('popstate', ({ state }) => way.back(state?.step));
  const earlier = window.history.state?.step;
  const step = way.first();
  if (step !== earlier && ['word', 'vote', 'question', 'review', 'tested'].includes(earlier)) {
    way.notice = way.words.say('notice.reloaded');
  }
  way.swap(step);
  if (telegram) ['web_app_ready', 'web_app_expand'].forEach(tellTelegram);
}

// The election and the paper have to fit each other, and what poll.json says of them.
async function readPaper(way) {
  const { poll, client, sealer } = way;
  const [written, paper] = await Promise.all([client.text('/election.json'), client.text('/paper.json')]);
  const facts = { written, paper, trustees: poll.trustees_sha256, signingKey: poll.signing_key };
  const opened = await sealer.ask('open', facts);
  if (opened.uuid !== poll.uuid || opened.hash !== poll.election_hash) throw new Error('another election');
  way.paper = opened.paper;
  way.fingerprint = opened.fingerprint;
}

function show(way) {
  const card = SCREENS[way.step](way);
  trouble.replaceChildren();
  status.textContent = '';
  document.title = `${card.querySelector('h1').textContent} – ${titleOf(way)}`;
  document.getElementById('title').textContent = titleOf(way);
  document.getElementById('languages').replaceChildren(...startScreens.languageBar(way));
  document.getElementById('foot').replaceChildren(...foot(way));
  place.replaceChildren(card);
  window.scrollTo(0, 0);
  card.querySelector('h1').focus();
}

function titleOf({ poll, words }) {
  return poll.title[words.language] ?? poll.title[poll.languages[0]];
}

function foot(way) {
  const { words, poll } = way;
  const facts = [way.fingerprint && ['foot.election', way.fingerprint], ['foot.page', poll.page.slice(0, 16)]].filter(Boolean);
  const rows = facts.map(([key, value]) => (
    make('div', {}, make('dt', {}, words.say(key)), make('dd', {}, make('code', {}, value)))
  ));
  return [isVoteOver(way) ? '' : make('p', {}, words.say('foot.other_ways')), make('dl', {}, ...rows)];
}

// A vote is locked or on its way, the poll is over, or this member has no vote: no other way to vote is left.
function isVoteOver({ step, stop, poll }) {
  const isLocked = Boolean(stop?.lock) || stop?.state === 'already_voted';
  const isBarred = ['closed', 'poll_not_open', 'not_eligible'].includes(stop?.state);
  return isLocked || isBarred || poll.state === 'closed' || ['locked', 'sending', 'told'].includes(step);
}

async function speak(way, tag, isChosen = true) {
  const { texts } = await way.client.json(`/words/${tag}.json`);
  way.words = new Words(tag, texts, way.poll.timezone);
  document.documentElement.lang = tag;
  if (isChosen) phone.put('language', tag);
}

// What was chosen here before, else Telegram's language, else the browser's, else the poll's first.
function fitting(poll, telegram) {
  const wanted = [phone.get('language'), telegram?.language, ...navigator.languages];
  const near = (tag) => poll.languages.find((each) => each === tag) ?? poll.languages.find((each) => root(each) === root(tag));
  return wanted.filter(Boolean).map(near).find(Boolean) ?? poll.languages[0];
}

function root(tag) {
  return tag.split('-')[0].toLowerCase();
}

// Turns a refusal into what the step does about it.
async function guard(way, work, kind) {
  const { turn } = way;
  try {
    await work();
  } catch (error) {
    if (way.turn !== turn) return;
    if (!(error instanceof Refusal)) {
      tellWrong(way.words.say('fault.seal'));
      return;
    }
    await onRefusal(way, error, kind);
  }
}

async function onRefusal(way, { refusal, words }, kind) {
  if (refusal === 'rule_unread') {
    way.poll = await way.client.json('/poll.json');
    way.notice = words;
    way.go('rule');
  } else if (refusal === 'unknown_intent' || (refusal === 'pack_void' && kind === 'vote')) {
    way.notice = words;
    way.go('pack');
  } else if (['poll_not_open', 'not_eligible', 'already_voted', 'init_data_wrong', 'pack_locked_out', 'session_locked_out'].includes(refusal)) {
    way.stop = { state: refusal, words };
    way.go('stopped');
  } else {
    tellWrong(words ?? way.words.say('fault.request'));
    document.getElementById('code')?.focus();
  }
}

// No answer yet: says so, and when it is tried again.
function tellPause(way, client, seconds, isOffline) {
  if (way === null) {
    document.getElementById('unreached').hidden = seconds === null;
    return;
  }
  if (seconds === null) {
    trouble.replaceChildren();
    return;
  }
  const { words } = way;
  trouble.replaceChildren(
    make('p', {}, isOffline ? words.say('offline.waiting') : noAnswer(words, seconds)),
    button(words, 'button.now', () => client.wake(), 'second little'),
  );
}

function noAnswer(words, seconds) {
  return seconds > 1 ? words.say('offline.no_answer', { seconds }) : words.say('offline.no_answer_soon');
}

// The service is too busy for this ballot now: it stays in the tab and goes out again after a while.
function wait(way, sentence, seconds, again) {
  setTimeout(again, seconds * 1000);
  trouble.replaceChildren(make('p', {}, sentence), button(way.words, 'button.now', again, 'second little'));
}

// For good: one of the sentences that the page brought with it.
function stop(name) {
  const heading = document.getElementById('moment');
  if (heading === null) return; // a step stands already, and says itself what it can do
  heading.textContent = heading.dataset.stop;
  for (const part of ['unfit', 'broken', 'unreached']) document.getElementById(part).hidden = part !== name;
}

start().catch((error) => {
  document.documentElement.dataset.fault = String(error);
  stop('broken');
});
