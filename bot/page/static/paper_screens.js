// The voting paper: the question, the review with its seal code, and the test that opens a sealed ballot.

import { make } from './dom.js';
import { acts, busy, button, isOffline, screen, sentence, tellWrong, wrongPlace } from './screen.js';
import { allows, ciphertextsOf } from './seal.js';

export function question(way) {
  const { words, paper } = way;
  way.draft ??= paper.questions.map((asked) => Array(ciphertextsOf(asked)).fill(0));
  const bits = way.draft;
  const fields = paper.questions.map((asked, index) => fieldset(way, asked, index, bits[index]));
  const form = make('form', {
    novalidate: true,
    onsubmit: (event) => {
      event.preventDefault();
      const wrong = paper.questions.findIndex((asked, index) => !allows(asked, bits[index]));
      if (wrong >= 0) {
        tellWrong(wrongChoice(way, paper.questions[wrong]));
        fields[wrong].querySelector('input').focus();
        return;
      }
      if (isOffline(way)) return;
      way.chosen = bits;
      way.go('review');
    },
  }, make('div', { class: 'questions' }, ...fields), wrongPlace(), acts(make('button', { type: 'submit' }, words.say('button.review'))));
  return screen(way, 'question.heading', sentence(words, 'question.free'), form);
}

function fieldset(way, asked, index, bits) {
  const { words } = way;
  const isOne = asked.most === 1 && asked.least === 1;
  const isSeveral = asked.most > 1;
  const inputs = [];
  const count = isSeveral ? make('p', { class: 'count', 'aria-live': 'polite' }) : null;
  const tellCount = () => {
    if (count === null) return;
    const n = bits.slice(Number(asked.blank)).reduce((one, other) => one + other, 0);
    count.textContent = words.say(asked.least === asked.most ? 'question.count_exactly' : 'question.count', { n, most: asked.most });
    count.classList.toggle('over', n > asked.most);
  };
  const choose = (place, isOn) => {
    const isAlone = isOne || (asked.blank && place === 0);
    bits.forEach((_, other) => {
      if (isOn && other !== place && (isAlone || (asked.blank && other === 0))) bits[other] = 0;
    });
    bits[place] = isOn ? 1 : 0;
    inputs.forEach(({ place: other, input }) => { input.checked = bits[other] === 1; });
    tellCount();
    tellWrong('');
  };
  const row = (place, text, kind) => {
    const input = make('input', {
      type: isOne ? 'radio' : 'checkbox',
      name: `question-${index}`,
      value: String(place),
      onchange: (event) => choose(place, event.target.checked),
    });
    input.checked = bits[place] === 1;
    inputs.push({ place, input });
    return make('label', { class: `option ${kind}` }, input, make('span', {}, text));
  };
  const first = Number(asked.blank);
  const rows = orderOf(way, asked, index).map((option) => row(option + first, inLanguage(way, asked.options[option]), ''));
  if (asked.blank) rows.push(row(0, words.say('question.blank'), 'blank'));
  tellCount();
  return make(
    'fieldset',
    {},
    make('legend', { id: `asked-${index}`, tabindex: '-1' }, which(way, index), inLanguage(way, asked.question)),
    make('p', { class: 'hint' }, words.say(howMany(asked), { least: asked.least, most: asked.most })),
    ...rows,
    count,
  );
}

// On a paper with several questions, which of them it is.
function which({ words, paper }, index) {
  const of = paper.questions.length;
  return of > 1 ? make('span', { class: 'which' }, words.say('question.which', { number: index + 1, of })) : null;
}

// Where options rotate, the member's begin so many places later, here as in the chat. Only what is seen moves: a row
// carries its option's own number, whatever the service says of the order.
function orderOf(way, asked, index) {
  const places = asked.options.map((_, option) => option);
  const said = asked.order === 'rotated' ? way.pack.shifts?.[index] : 0;
  const first = Number.isSafeInteger(said) && said > 0 ? said % places.length : 0;
  return [...places.slice(first), ...places.slice(0, first)];
}

function howMany({ least, most }) {
  if (least === most) return most === 1 ? 'question.one' : 'question.exactly';
  return least === 0 ? 'question.up_to' : 'question.between';
}

function wrongChoice(way, asked) {
  const wanted = way.words.say(`${howMany(asked)}_wrong`, { least: asked.least, most: asked.most });
  return way.paper.questions.length > 1 ? `${inLanguage(way, asked.question)} ${wanted}` : wanted;
}

export function review(way) {
  const { words } = way;
  const code = make('p', { class: 'mark', 'aria-live': 'polite' }, words.say('busy.seal'));
  const cast = button(words, 'button.cast', () => castVote(way), 'large');
  const isOne = way.paper.questions.length === 1;
  const change = isOne ? button(words, 'button.change', () => way.swap('question'), 'second') : null;
  const test = button(words, 'button.test', () => busy(way, 'busy.open', async (stands) => {
    await way.test();
    if (stands()) way.go('tested');
  }), 'second');
  cast.disabled = true;
  test.disabled = true;
  const { turn } = way;
  way.seal().then((sealed) => {
    if (way.turn !== turn) return;
    code.textContent = sealed.code;
    cast.disabled = false;
    test.disabled = false;
  }, () => tellWrong(words.say('fault.seal')));
  return screen(
    way,
    'review.heading',
    answers(way, way.chosen, isOne ? null : changeOf),
    sentence(words, 'review.final'),
    wrongPlace(),
    acts(cast, change),
    make(
      'div',
      { class: 'seal' },
      make('h2', {}, words.say('review.seal_code')),
      code,
      sentence(words, 'review.seal_about', {}, 'quiet'),
      make('details', {}, make('summary', {}, words.say('review.test_summary')), sentence(words, 'review.test_about'), acts(test)),
    ),
  );
}

// Leads from the review back to one question of several.
function changeOf(way, index) {
  const back = () => {
    way.swap('question');
    document.getElementById(`asked-${index}`).focus();
  };
  const words = way.words.say('button.change_one', { number: index + 1 });
  return make('dd', { class: 'change' }, make('button', { type: 'button', class: 'plain', onclick: back }, words));
}

async function castVote(way) {
  if (isOffline(way)) return;
  await busy(way, 'busy.sign', async (stands) => {
    await way.sign();
    if (stands()) way.swap('sending');
  });
}

// What was chosen, question by question, each with what `more` adds to it.
function answers(way, bits, more = null) {
  const { words, paper } = way;
  const rows = paper.questions.flatMap((asked, index) => {
    const first = Number(asked.blank);
    const names = asked.options.filter((_, option) => bits[index][option + first] === 1);
    const shown = names.map((name) => inLanguage(way, name));
    if (asked.blank && bits[index][0] === 1) shown.push(words.say('question.blank'));
    if (!shown.length) shown.push(words.say('question.nothing'));
    const named = shown.map((name) => make('dd', {}, name));
    return [make('dt', {}, inLanguage(way, asked.question)), ...named, more?.(way, index)];
  });
  return make('dl', { class: 'answers' }, ...rows);
}

// A ballot that was opened to be looked at; it was never signed and cannot be cast.
export function tested(way) {
  const { words, opened } = way;
  const text = `${JSON.stringify(opened)}\n`;
  const file = make('a', {
    class: 'button second',
    download: `ballotline-tested-${opened.seal_code}.json`,
    href: URL.createObjectURL(new Blob([text], { type: 'application/json' })),
  }, words.say('button.save_test'));
  return screen(
    way,
    'tested.heading',
    sentence(words, 'tested.about'),
    answers(way, opened.choices),
    make('h2', {}, words.say('review.seal_code')),
    make('p', { class: 'mark' }, opened.seal_code),
    acts(button(words, 'button.anew', () => way.swap('review')), file),
    make('details', {}, make('summary', {}, words.say('tested.how')), sentence(words, 'tested.how_about'), make('pre', {}, text)),
  );
}

function inLanguage(way, texts) {
  return texts[way.words.language] ?? texts[way.paper.languages[0]];
}
