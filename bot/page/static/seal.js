// Seals a ballot: from choices and random numbers to ciphertexts and proofs, in voting/ballots/seal's own order.
// Nobody needs the member's secret for it.

import { baseTimes, randomScalar, times, writePoint } from './group.js';
import { proveOneOf } from './proofs.js';

export function drawRandomness(election) {
  const needed = election.questions.reduce((sum, question) => sum + drawsOf(question), 0);
  return Array.from({ length: needed }, randomScalar);
}

// One r a ciphertext; two numbers for every statement of every proof.
function drawsOf(question) {
  const count = ciphertextsOf(question);
  const branches = question.most - question.least + 1 + Number(question.blank);
  return count + 2 * (2 * count + branches + 2 * Number(question.blank));
}

export function ciphertextsOf(question) {
  return question.options.length + Number(question.blank);
}

// Whether the question allows these bits: 0 or 1 an option, before them blank where it is allowed.
export function allows(question, bits) {
  if (bits.length !== ciphertextsOf(question) || !bits.every((bit) => bit === 0 || bit === 1)) return false;
  const chosen = sum(bits.slice(Number(question.blank)));
  if (question.blank && bits[0] === 1) return chosen === 0;
  return question.least <= chosen && chosen <= question.most;
}

// `choices`: a list of bits a question. The credential is the written one. Gives the answers of a ballot.
export function seal(election, credential, choices, draws) {
  const left = draws.values();
  const context = `${election.hash}|${credential}`;
  if (choices.length !== election.questions.length) throw new Error('an answer a question');
  return election.questions.map((question, index) => {
    if (!allows(question, choices[index])) throw new Error('the question does not allow this answer');
    return answer(election.key, question, choices[index], left, context);
  });
}

function answer(key, question, bits, left, context) {
  const randomness = bits.map(() => next(left));
  const choices = bits.map((bit, index) => encrypt(key, bit, randomness[index]));
  const individual = bits.map((bit, index) => {
    const statements = [[randomness[index], bit], [randomness[index], bit - 1]];
    return prove(key, statements, left, `prove|${context}|${written([choices[index]])}|`);
  });
  const all = `${context}|${written(choices)}`;
  if (question.blank) return { choices, individual, ...blankProofs(key, question, bits, randomness, left, all) };
  const total = choices.reduce((one, other) => ({ alpha: one.alpha.add(other.alpha), beta: one.beta.add(other.beta) }));
  const prefix = `prove|${all}|${written([total])}|`;
  return { choices, individual, overall: prove(key, sums(question, randomness, bits), left, prefix) };
}

function blankProofs(key, question, bits, randomness, left, all) {
  const [blank, ...others] = bits;
  const [secret, ...rest] = randomness;
  const statements = [[secret, blank - 1], ...sums(question, rest, others)];
  const overall = prove(key, statements, left, `bproof1|${all}|`);
  const either = [[secret, blank], [total(rest), sum(others)]];
  return { overall, blank: prove(key, either, left, `bproof0|${all}|`) };
}

function encrypt(key, bit, secret) {
  return { alpha: baseTimes(secret), beta: times(secret, key).add(baseTimes(BigInt(bit))) };
}

// Every sum that the question allows, as statements [randomness, offset].
function sums(question, randomness, bits) {
  const values = Array.from({ length: question.most - question.least + 1 }, (_, index) => question.least + index);
  return values.map((value) => [total(randomness), sum(bits) - value]);
}

function prove(key, statements, left, prefix) {
  const branches = statements.map(([randomness, offset]) => (
    { randomness, offset, nonce: next(left), challenge: next(left) }
  ));
  return proveOneOf(key, branches, prefix);
}

function next(left) {
  const { value, done } = left.next();
  if (done) throw new Error('too few random numbers');
  return value;
}

function written(choices) {
  return choices.map(({ alpha, beta }) => `${writePoint(alpha)},${writePoint(beta)}`).join(',');
}

function sum(bits) {
  return bits.reduce((one, other) => one + other, 0);
}

function total(numbers) {
  return numbers.reduce((one, other) => one + other, 0n);
}
