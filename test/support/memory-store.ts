import type { StateStore } from '../../src/ports.ts';

/** What survives a restart, without a disk. Values go through JSON, as on a disk. */
export class MemoryStore implements StateStore {
  readonly documents = new Map<string, string>();
  /** Attempts to write. */
  writes = 0;
  /** The disk is full. */
  failing = false;

  read(name: string): Promise<unknown> {
    const text = this.documents.get(name);
    return Promise.resolve(text === undefined ? undefined : JSON.parse(text));
  }

  write(name: string, value: unknown): Promise<void> {
    this.writes += 1;
    if (this.failing) return Promise.reject(Object.assign(new Error('the disk is full'), { code: 'state-not-written' }));
    this.documents.set(name, JSON.stringify(value));
    return Promise.resolve();
  }

  setAside(name: string): Promise<void> {
    this.documents.delete(name);
    return Promise.resolve();
  }
}
