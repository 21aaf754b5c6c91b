// The worker that seals, asked as one asks a function.

export class Sealer {
  #worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });

  #waiting = new Map();

  #last = 0;

  constructor() {
    this.#worker.addEventListener('message', ({ data: { id, answer, fault } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (fault) reject(new Error(fault));
      else resolve(answer);
    });
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault();
      for (const { reject } of this.#waiting.values()) reject(new Error('the worker does not run'));
      this.#waiting.clear();
    });
  }

  ask(act, facts = {}) {
    return new Promise((resolve, reject) => {
      this.#last += 1;
      this.#waiting.set(this.#last, { resolve, reject });
      this.#worker.postMessage({ id: this.#last, act, facts });
    });
  }
}
