/** The state of the fleet, asked for now and then while the page is visible. */
import type { VisitorView } from '../../core/views/visitor-view.ts';

/** Milliseconds between two requests. */
const EVERY = 10_000;

export class Fleet {
  readonly #url: string;
  readonly #changed: (fleet: VisitorView | undefined) => void;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `undefined`: the session server does not answer. */
  constructor(url: string, changed: (fleet: VisitorView | undefined) => void) {
    this.#url = url;
    this.#changed = changed;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      if (!document.hidden) void this.ask();
    }, EVERY);
    void this.ask();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async ask(): Promise<void> {
    const fleet = await fetchFleet(this.#url);
    if (this.#timer !== undefined) this.#changed(fleet);
  }
}

async function fetchFleet(url: string): Promise<VisitorView | undefined> {
  try {
    const answer = await fetch(url, { headers: { Accept: 'application/json' } });
    return answer.ok ? ((await answer.json()) as VisitorView) : undefined;
  } catch {
    return undefined;
  }
}
