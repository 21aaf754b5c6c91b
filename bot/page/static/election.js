// election.json, whose very bytes every ballot hashes, and paper.json, which it binds.

import { digestOf, readPoint, toHex } from './group.js';

// Base64 without padding, as Belenios writes a SHA-256.
export function hashOf(text) {
  return btoa(String.fromCharCode(...digestOf(text))).replace(/=+$/, '');
}

// Reads it strictly: what it says, written again, has to be the same text.
export function readElection(written) {
  const content = JSON.parse(written);
  const questions = content.questions.map((question) => ({
    text: question.question,
    options: question.answers,
    blank: question.blank === true,
    least: question.min,
    most: question.max,
  }));
  const again = JSON.stringify({
    version: 1,
    description: content.description,
    name: content.name,
    group: 'Ed25519',
    public_key: content.public_key,
    questions: questions.map((question) => ({
      answers: question.options,
      ...(question.blank ? { blank: true } : {}),
      min: question.least,
      max: question.most,
      question: question.text,
    })),
    uuid: content.uuid,
  });
  if (again !== written) throw new Error('election.json is not as the specification has it');
  const { uuid, description } = content;
  return { uuid, description, questions, key: readPoint(content.public_key), hash: hashOf(written) };
}

// The paper in every language, if it is the one that the election binds and asks the same questions.
export function readPaper(written, election) {
  if (election.description !== `ballotline paper 1 ${toHex(digestOf(written))}`) {
    throw new Error('paper.json belongs to another election');
  }
  const paper = JSON.parse(written);
  const first = paper.languages[0];
  const asked = paper.questions.map((question) => ({
    text: question.question[first],
    options: question.options.map((option) => option[first]),
    blank: question.blank,
    least: question.least,
    most: question.most,
  }));
  if (paper.uuid !== election.uuid || JSON.stringify(asked) !== JSON.stringify(election.questions)) {
    throw new Error('paper.json asks something else than election.json');
  }
  return paper;
}
