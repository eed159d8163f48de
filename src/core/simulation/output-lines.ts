/** Cuts the output of a program into lines, whatever it writes: a line has a maximum length, and all of them together a maximum rate. Pure. */

export interface OutputLimits {
  /** Characters of a line; the rest of a longer one is dropped. */
  readonly line: number;
  /** Characters a second; what comes beyond is dropped until the second is over. */
  readonly perSecond: number;
  /** Lines a second; those beyond are dropped. Each is a message of its own, also an empty one. */
  readonly linesPerSecond: number;
}

export class OutputLines {
  readonly #limits: OutputLimits;
  readonly #take: (line: string) => void;
  #rest = '';
  /** The line that is being read was too long. */
  #skipping = false;
  /** Its beginning was dropped. */
  #broken = false;
  #second = Number.NaN;
  #left = 0;
  #linesLeft = 0;

  constructor(limits: OutputLimits, take: (line: string) => void) {
    this.#limits = limits;
    this.#take = take;
  }

  /** `now` is seconds. */
  add(text: string, now: number): void {
    const second = Math.floor(now);
    if (second !== this.#second) {
      this.#second = second;
      this.#left = this.#limits.perSecond;
      this.#linesLeft = this.#limits.linesPerSecond;
    }
    const taken = text.slice(0, Math.max(0, this.#left));
    this.#left -= taken.length;
    const lines = taken.split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) {
      this.#append(line);
      this.#finish();
    }
    this.#append(last);
    // What was dropped must not join two lines.
    if (taken.length < text.length) this.#broken = true;
  }

  /** The program ended. */
  end(): void {
    if (this.#rest !== '') this.#finish();
  }

  #append(text: string): void {
    if (this.#skipping || this.#broken) return;
    const room = this.#limits.line - this.#rest.length;
    this.#rest += text.slice(0, room);
    if (text.length > room) this.#skipping = true;
  }

  #finish(): void {
    const line = this.#rest.replace(/\r$/, '');
    this.#rest = '';
    this.#skipping = false;
    const isWhole = !this.#broken;
    this.#broken = false;
    if (!isWhole || this.#linesLeft <= 0) return;
    this.#linesLeft -= 1;
    this.#take(line);
  }
}
