/**
 * What replicas share: texts under keys, changed by numbered commits. Every replica keeps a mirror of it, so that the next leader is ready, and a store that
 * comes back empty is filled again.
 */

/** Identifies a commit. Terms are numbered, and each has one leader; numbers rise within a term and from one to the next. */
export interface Stamp {
  readonly term: number;
  readonly number: number;
}

/** The new text of a key. `null`: the key is removed. Absent: the text is too large for the journal and has to be read. */
export type Change = readonly [key: string, text?: string | null];

/** One commit, as the journal has it. */
export interface JournalEntry extends Stamp {
  /** Absent: everything was replaced. */
  readonly changes?: readonly Change[];
}

/** All that is shared, as of a commit. */
export interface SharedState extends Stamp {
  readonly texts: ReadonlyMap<string, string>;
}

/** No commit: that of a store which is empty. */
export const NO_STAMP: Stamp = { term: 0, number: 0 };
/** Characters of a key. */
const MAX_KEY_LENGTH = 300;
/** Characters of one entry of the journal. */
export const MAX_ENTRY_LENGTH = 8 * 1024 * 1024;

/** Texts under this part of the keys are written whole and seldom; the journal only names them. */
const DOCUMENTS = 'documents/';

export function documentKey(name: string): string {
  return `${DOCUMENTS}${name}`;
}

/** Whether `a` is a later commit than `b`. */
export function isNewer(a: Stamp, b: Stamp): boolean {
  return a.term === b.term ? a.number > b.number : a.term > b.term;
}

/** What the journal says about the changes of a commit. */
export function journalText(changes: readonly Change[] | undefined): string {
  if (changes === undefined) return 'null';
  return JSON.stringify(changes.map((change) => (change[0].startsWith(DOCUMENTS) && change[1] !== null ? [change[0]] : change)));
}

/** Reads what `journalText` wrote. `undefined`: no replica wrote it. Never throws. */
export function readJournalText(text: string, { term, number }: Stamp): JournalEntry | undefined {
  if (text.length > MAX_ENTRY_LENGTH) return undefined;
  const value = parsed(text);
  if (value === null) return { term, number };
  return Array.isArray(value) && value.every(isChange) ? { term, number, changes: value } : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isChange(value: unknown): value is Change {
  if (!Array.isArray(value) || value.length < 1 || value.length > 2) return false;
  const [key, text] = value as readonly unknown[];
  return isKey(key) && (text === undefined || text === null || typeof text === 'string');
}

function isKey(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_KEY_LENGTH;
}

export class Mirror {
  #stamp = NO_STAMP;
  #texts = new Map<string, string>();

  /** The commit that it shows. */
  get stamp(): Stamp {
    return this.#stamp;
  }

  get size(): number {
    return this.#texts.size;
  }

  get(key: string): string | undefined {
    return this.#texts.get(key);
  }

  /** Keys and texts; with `beginning`, those whose keys begin with it. */
  *entries(beginning = ''): Generator<readonly [key: string, text: string]> {
    for (const entry of this.#texts) if (entry[0].startsWith(beginning)) yield entry;
  }

  /** Takes over what is shared. A state that is older than what the mirror shows is ignored: a store may have forgotten. */
  replace({ term, number, texts }: SharedState): boolean {
    if (isNewer(this.#stamp, { term, number })) return false;
    this.#stamp = { term, number };
    this.#texts = new Map(texts);
    return true;
  }

  /**
   * Takes over the next commit. Returns the keys whose texts have to be read and handed to `set`. `undefined`: it is not the next one of this term, or
   * replaces everything, so that all has to be listed again. The first commit of every term replaces everything.
   */
  apply({ term, number, changes }: JournalEntry): readonly string[] | undefined {
    const isNext = number === this.#stamp.number + 1 && term === this.#stamp.term;
    if (!isNext || changes === undefined) return undefined;
    this.#stamp = { term, number };
    const toRead: string[] = [];
    for (const [key, text] of changes) {
      if (text === undefined) toRead.push(key);
      else this.set(key, text);
    }
    return toRead;
  }

  /** `null` removes it. */
  set(key: string, text: string | null): void {
    if (text === null) this.#texts.delete(key);
    else this.#texts.set(key, text);
  }

  /** This replica itself committed what it shows. */
  committed({ term, number }: Stamp): void {
    // Not the whole commit, which is one, too: every heartbeat has the stamp.
    this.#stamp = { term, number };
  }
}
