/** Sign-ins of the monitor page, as replicas share them: operators stay signed in when another replica leads. The store has digests of cookies and tokens only. */
import type { Clock } from '../../ports.ts';
import { parsed, type Journal } from './journal.ts';

export interface SharedSignIn {
  /** Name of the token's holder. */
  readonly name: string;
  /** Digest of what the configuration has of the token: a replaced token ends its sign-ins. */
  readonly token: string;
  readonly csrf: string;
  /** Seconds of the engine's clock. */
  readonly until: number;
}

const SIGN_INS = 'sign-ins/';
const MAX_LENGTH = 200;

export class SharedSignIns {
  readonly #journal: Pick<Journal, 'entries' | 'set' | 'remove'>;
  readonly #clock: Pick<Clock, 'now' | 'wallTime'>;

  constructor(journal: Pick<Journal, 'entries' | 'set' | 'remove'>, clock: Pick<Clock, 'now' | 'wallTime'>) {
    this.#journal = journal;
    this.#clock = clock;
  }

  /** What the leader before this one had, by the digests of the cookies. What has ended, or no replica wrote, is removed. */
  all(): ReadonlyMap<string, SharedSignIn> {
    const found = new Map<string, SharedSignIn>();
    for (const [key, text] of [...this.#journal.entries(SIGN_INS)]) {
      const signIn = this.#read(parsed(text));
      if (signIn !== undefined) found.set(key.slice(SIGN_INS.length), signIn);
      else this.#journal.remove(key);
    }
    return found;
  }

  set(id: string, { until, ...signIn }: SharedSignIn): void {
    this.#journal.set(`${SIGN_INS}${id}`, { ...signIn, until: until - this.#clock.now() + this.#clock.wallTime() });
  }

  remove(id: string): void {
    this.#journal.remove(`${SIGN_INS}${id}`);
  }

  #read(value: unknown): SharedSignIn | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    const { name, token, csrf, until } = value as Readonly<Record<string, unknown>>;
    if (!isText(name) || !isText(token) || !isText(csrf) || typeof until !== 'number') return undefined;
    const left = until - this.#clock.wallTime();
    // No sign-in lasts longer than a day.
    return left > 0 && left < 86_400 ? { name, token, csrf, until: this.#clock.now() + left } : undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_LENGTH;
}
