// The letter's two codes: typed or pasted, a slip told while typing, the word between them.

import { betterFor, LENGTHS, plain, printed } from './codes.js';
import { make } from './dom.js';
import { acts, busy, button, isOffline, screen, sentence, tellWrong, wrongPlace } from './screen.js';
import { startCheck, startVote } from './start_screens.js';

const LIKE = { pack: 'ABC-DEF-GHJ', vote: 'ABCD-EFGH-JKMN' };

export function pack(way) {
  const { words } = way;
  const other = way.purpose === 'check' ? ['button.vote_instead', startVote] : ['button.check', startCheck];
  return screen(
    way,
    way.purpose === 'check' ? 'pack.heading_check' : 'pack.heading',
    way.purpose === 'check' ? sentence(words, 'pack.check') : null,
    codeForm(way, 'pack', async (codes, stands) => {
      const answer = await way.givePack(codes.pack);
      if (!stands()) return;
      if (codes.vote) way.typed.vote = printed('vote', codes.vote);
      const goesOn = answer.state === 'ready' || (way.purpose === 'check' && answer.intent);
      if (!goesOn) way.stop = { ...answer, from: 'pack' };
      way.go(goesOn ? 'word' : 'stopped');
    }),
    make('p', { class: 'below' }, button(words, other[0], () => other[1](way), 'plain')),
  );
}

// The word proves the page to the member: whoever made a false page does not know it.
export function word(way) {
  const { words } = way;
  return screen(
    way,
    'word.heading',
    sentence(words, 'word.shown'),
    make('p', { class: 'word' }, way.pack.word),
    acts(
      button(words, 'word.yes', () => way.go('vote')),
      button(words, 'word.no', () => {
        way.stop = { state: 'wrong_word' };
        way.go('stopped');
      }, 'second'),
    ),
  );
}

export function vote(way) {
  return screen(
    way,
    'vote.heading',
    sentence(way.words, 'vote.safe'),
    codeForm(way, 'vote', async (codes, stands) => {
      const answer = await way.giveVote(codes.vote);
      if (!stands()) return;
      if (way.isProved) {
        way.go('question');
        return;
      }
      way.stop = { ...answer, lock: answer.lock ?? way.pack.lock, isNoted: answer.noted, from: 'vote' };
      way.go(way.purpose === 'check' ? 'checked' : 'stopped');
    }),
  );
}

// A field for one code; both pasted into it are taken as both.
function codeForm(way, kind, give) {
  const { words } = way;
  const field = make('input', {
    id: 'code',
    name: kind,
    value: way.typed[kind],
    autocomplete: 'off',
    autocapitalize: 'characters',
    autocorrect: 'off',
    spellcheck: 'false',
    enterkeyhint: 'next',
    'aria-describedby': 'hint wrong',
    class: 'code',
    maxlength: '120',
  });
  field.addEventListener('input', () => {
    way.typed[kind] = field.value;
    slip(way, kind, field, false);
  });
  field.addEventListener('change', () => {
    const found = way.codesOf.read(field.value, kind).found[kind];
    if (found && plain(field.value) === found) field.value = printed(kind, found);
  });
  return make(
    'form',
    {
      onsubmit: (event) => {
        event.preventDefault();
        const found = slip(way, kind, field, true);
        if (!found || isOffline(way)) return;
        busy(way, 'busy.codes', (stands) => way.guard(() => give(found, stands), kind));
      },
      autocomplete: 'off',
      novalidate: true,
    },
    make('label', { for: 'code' }, words.say(`${kind}.label`)),
    make('p', { id: 'hint', class: 'hint' }, words.say(`${kind}.hint`, { like: LIKE[kind] })),
    field,
    wrongPlace(),
    acts(make('button', { type: 'submit' }, words.say('button.next'))),
  );
}

// Says what is wrong with what stands in the field; while typing, only what more typing cannot mend.
function slip(way, kind, field, isFinal) {
  const { found, problem } = way.codesOf.read(field.value, kind);
  const isEarly = !isFinal && problem !== null
    && (problem.reason === 'empty' || problem.reason === 'too_short' || (problem.reason === 'other_code' && plain(field.value).length < LENGTHS[kind]));
  if (problem === null || isEarly) {
    tellWrong('');
    field.removeAttribute('aria-invalid');
    return problem === null ? found : null;
  }
  tellWrong(slipWords(way.words, kind, problem));
  field.setAttribute('aria-invalid', 'true');
  if (isFinal) field.focus();
  return null;
}

function slipWords(words, kind, { reason, characters }) {
  const better = betterFor(characters);
  if (characters.length && better.length) {
    return words.say('slip.look_alike', { characters: characters.join(', '), better: better.join(', ') });
  }
  if (reason === 'other_code') return words.say(`slip.other_code.${kind}`);
  return words.say(`slip.${reason}`, { length: LENGTHS[kind] });
}
