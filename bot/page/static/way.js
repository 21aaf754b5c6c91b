// The way through the page: which step stands on the screen, what is known so far, and what a step may ask for.
// What is secret (codes, choices) lives in this object and the worker only, and goes when the page goes.

import { Refusal } from './client.js';
import { sessionOf, phone, tab } from './memory.js';

// What has to be known before a step can be shown; else the way begins again.
const NEEDS = {
  word: (way) => way.pack !== null,
  vote: (way) => way.pack !== null,
  question: (way) => way.isProved,
  review: (way) => way.isProved && way.chosen !== null,
  tested: (way) => way.opened !== null,
  stopped: (way) => way.stop !== null,
  told: (way) => way.isTold,
  checked: (way) => way.stop !== null,
};

export class Way {
  constructor({ poll, client, sealer, telegram, packCode, show }) {
    Object.assign(this, { poll, client, sealer, telegram, show });
    this.session = sessionOf(poll.uuid);
    this.typed = { pack: packCode, vote: '' };
    this.step = '';
    this.turn = 0;
    this.sending = null;
    this.begin();
  }

  // Forgets everything secret; the next letter starts here.
  begin() {
    this.purpose = 'vote';
    this.pack = null; // the service's answer to the pack code
    this.codes = {};
    this.isProved = false;
    this.draft = null; // bits a question, while they are chosen
    this.chosen = null; // the same, once they are reviewed
    this.opened = null; // a ballot that was tested
    this.stop = null; // why the way ends here: { state, lock, warns }
    this.isTold = false; // staff heard that the locked vote was not this person's
    this.notice = null; // a sentence above the next step
  }

  get isRuleRead() {
    return phone.get(`rule.${this.poll.uuid}`) === this.poll.rule_version;
  }

  readRule() {
    phone.put(`rule.${this.poll.uuid}`, this.poll.rule_version);
  }

  // Where somebody starts who has given nothing yet; what is on its way or locked in this tab comes first.
  first() {
    if (tab.get('sent') !== null) return 'sending';
    if (tab.get('locked') !== null) return 'locked';
    if (this.poll.languages.length > 1 && phone.get('language') === null) return 'language';
    if (this.poll.state !== 'open') return 'phase';
    return this.isRuleRead ? 'pack' : 'rule';
  }

  go(step) {
    this.#stand(step);
    window.history.pushState({ step: this.step }, '');
  }

  // As `go`, without a step to come back to.
  swap(step) {
    this.#stand(step);
    window.history.replaceState({ step: this.step }, '');
  }

  // The browser's Back and Forward: only to a step whose ground still stands.
  back(step) {
    const isOver = this.step === 'locked' || this.step === 'sending';
    if (isOver) this.swap(this.step);
    else this.#stand(step && step !== 'sending' && step !== 'locked' ? step : this.first());
  }

  again() {
    this.show(this);
  }

  #stand(step) {
    this.turn += 1;
    this.step = !NEEDS[step] || NEEDS[step](this) ? step : this.first();
    if (this.step === 'question' || this.step === 'pack') this.opened = null;
    this.show(this);
  }

  // Asks the service. What every question carries comes with it.
  post(path, facts) {
    const { words, telegram } = this;
    const more = telegram?.initData ? { init_data: telegram.initData } : {};
    return this.client.post(path, { session: this.session, language: words.language, ...facts, ...more });
  }

  async givePack(code) {
    const rule = this.purpose === 'check' ? null : this.poll.rule_version;
    this.codes.pack = code;
    const answer = await this.post('/pack', { pack_code: code, rule_version: rule });
    this.pack = answer;
    return answer;
  }

  async giveVote(code) {
    const { purpose, session } = this;
    const { intent } = this.pack;
    const asked = { packCode: this.codes.pack, voteCode: code, uuid: this.poll.uuid, session, intent, purpose };
    const { credential, proof } = await this.sealer.ask('prove', asked);
    const answer = await this.post('/codes', { intent, purpose, credential, proof });
    this.isProved = purpose === 'vote' && answer.state === 'ready';
    if (this.isProved) this.#forgetCodes();
    return answer;
  }

  // From here the worker alone has what the codes gave.
  #forgetCodes() {
    this.codes = {};
    this.typed = { pack: '', vote: '' };
  }

  // "This was not me": staff hear of it. Said twice, it is one report.
  async disown(intent) {
    await this.post('/not_mine', { intent });
    this.isTold = true;
  }

  seal() {
    return this.sealer.ask('seal', { choices: this.chosen });
  }

  async test() {
    this.opened = await this.sealer.ask('test');
  }

  // Signs, and keeps the very bytes in this tab until their answer came.
  async sign() {
    const { ballot, digest, mark } = await this.sealer.ask('sign');
    const sent = { intent: this.pack.intent, rule_version: this.poll.rule_version, ballot, digest, mark };
    tab.put('sent', sent);
    tab.put('marks', [...(tab.get('marks') ?? []), mark].slice(-20));
    this.draft = null;
    this.chosen = null;
    this.isProved = false;
  }

  // Sends what was signed, the same bytes each time; what came back is kept as the receipt. Asked twice, it is one.
  send() {
    this.sending ??= this.#sent().finally(() => {
      this.sending = null;
    });
    return this.sending;
  }

  async #sent() {
    const sent = tab.get('sent');
    const { intent, rule_version, ballot, digest, mark } = sent;
    const head = JSON.stringify({
      session: this.session,
      language: this.words.language,
      ...(this.telegram?.initData ? { init_data: this.telegram.initData } : {}),
      intent,
      rule_version,
    });
    try {
      const answer = await this.client.post('/ballot', `${head.slice(0, -1)},"ballot":${ballot}}`);
      tab.put('locked', { ...answer, digest, mark, intent });
      tab.drop('sent');
      return answer;
    } catch (error) {
      if (error instanceof Refusal && error.refusal !== 'too_many') tab.drop('sent');
      throw error;
    }
  }

  // Somebody else's turn in this tab.
  restart() {
    tab.drop('locked');
    tab.drop('sent');
    this.begin();
    this.typed = { pack: '', vote: '' };
    this.sealer.ask('forget');
    this.go(this.first());
  }
}
