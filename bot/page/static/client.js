// The one way to the service. The same bytes may be sent twice: every request is safe to repeat, so a lost answer is
// asked for again, with growing pauses, until it came.

const PAUSES_SECONDS = [1, 2, 4, 8, 15, 30];
const TIMEOUT_SECONDS = 20;
const BUSY = new Set([408, 500, 502, 503, 504]); // tried again: the service is not there, or not yet

// The service said no; `words` is its sentence in the reader's language.
export class Refusal extends Error {
  constructor(refusal, words, retryAfterSeconds) {
    super(refusal);
    Object.assign(this, { refusal, words, retryAfterSeconds });
  }
}

export class Client {
  // `told(seconds, isOffline)` hears of every pause before it begins, and null when the answer came.
  constructor(base, told) {
    this.base = base;
    this.told = told;
    this.wake = () => {};
    window.addEventListener('online', () => this.wake());
  }

  async text(path) {
    const answer = await this.#fetched(path, { cache: 'no-cache' });
    return answer.text();
  }

  async json(path) {
    return JSON.parse(await this.text(path));
  }

  async post(path, content) {
    const answer = await this.#fetched(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: typeof content === 'string' ? content : JSON.stringify(content),
    });
    return answer.json();
  }

  async #fetched(path, request) {
    for (let turn = 0; ; turn += 1) {
      const answer = await this.#once(path, request);
      if (answer?.ok) {
        this.told(null);
        return answer;
      }
      if (answer && !BUSY.has(answer.status)) {
        this.told(null);
        throw await refusalOf(answer);
      }
      await this.#pause(PAUSES_SECONDS[Math.min(turn, PAUSES_SECONDS.length - 1)]);
    }
  }

  async #once(path, request) {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_SECONDS * 1000);
      const answer = await fetch(this.base + path, { ...request, signal, credentials: 'omit', referrerPolicy: 'no-referrer' });
      await answer.clone().arrayBuffer(); // an answer that breaks off is no answer
      return answer;
    } catch (error) {
      if (error instanceof TypeError || error.name === 'TimeoutError' || error.name === 'AbortError') return null;
      throw error;
    }
  }

  // Ends early when the phone is on line again, or somebody presses "Try now".
  async #pause(seconds) {
    this.told(seconds, navigator.onLine === false);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = () => {};
  }
}

async function refusalOf(answer) {
  const retryAfterSeconds = Number(answer.headers.get('Retry-After') ?? 30);
  try {
    const { refusal, words } = await answer.json();
    return new Refusal(refusal, words, retryAfterSeconds);
  } catch {
    return new Refusal('request_wrong', null, retryAfterSeconds);
  }
}
