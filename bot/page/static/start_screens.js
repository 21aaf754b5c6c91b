// The first steps: the language, whether voting is open, the rule.

import { make } from './dom.js';
import { acts, button, screen, sentence } from './screen.js';

export function language(way) {
  const { names } = way.poll;
  const choices = Object.entries(names).map(([tag, name]) => make('button', {
    type: 'button',
    lang: tag,
    class: tag === way.words.language ? null : 'second',
    onclick: async () => {
      await way.speak(tag);
      way.swap(way.first());
    },
  }, name));
  const card = screen(way, 'language.heading', make('div', { class: 'acts wide' }, ...choices));
  const asked = Object.keys(names).map((tag) => make('span', { lang: tag }, way.poll.says[tag].which_language));
  card.querySelector('h1').replaceChildren(...asked.flatMap((words, place) => (place ? ['\u00a0/ ', words] : [words])));
  return card;
}

// Not open, or over: in the chat's own sentences.
export function phase(way) {
  const { state, says } = way.poll;
  return screen(
    way,
    `phase.${state}.heading`,
    make('p', {}, says[way.words.language].state),
    state === 'not_open' ? sentence(way.words, 'phase.check') : null,
    state === 'closed' ? null : acts(button(way.words, 'button.check', () => startCheck(way), 'second')),
  );
}

export function rule(way) {
  const { words, poll } = way;
  return screen(
    way,
    'rule.heading',
    make('blockquote', { class: 'rule' }, poll.rule[words.language]),
    sentence(words, 'rule.locked'),
    make('p', { class: 'quiet' }, poll.says[words.language].closes),
    acts(
      button(words, 'button.understood', () => {
        way.readRule();
        way.go('pack');
      }),
      button(words, 'button.check', () => startCheck(way), 'second'),
    ),
    make('details', {}, make('summary', {}, words.say('secret.summary')), sentence(words, 'secret.text')),
  );
}

export function startCheck(way) {
  way.begin();
  way.purpose = 'check';
  way.go('pack');
}

export function startVote(way) {
  way.begin();
  way.go(way.first());
}

// The choice of languages at the top of the page.
export function languageBar(way) {
  const { names } = way.poll;
  if (Object.keys(names).length < 2 || way.step === 'language') return [];
  return Object.entries(names).map(([tag, name]) => make('button', {
    type: 'button',
    lang: tag,
    'aria-pressed': String(tag === way.words.language),
    onclick: async () => {
      await way.speak(tag);
      way.again();
    },
  }, name));
}
