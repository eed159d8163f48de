import type { StateStore } from '../../src/ports.ts';

/** A store that outlives the session servers of one test. What goes in and out is JSON, as on a disk. */
export class MemoryStore implements StateStore {
  readonly documents = new Map<string, string>();
  writes = 0;
  failing = false;

  read(name: string): Promise<unknown> {
    const text = this.documents.get(name);
    return Promise.resolve(text === undefined ? undefined : (JSON.parse(text) as unknown));
  }

  write(name: string, value: unknown): Promise<void> {
    this.writes += 1;
    if (this.failing) return Promise.reject(Object.assign(new Error('the disk is full'), { code: 'state-not-written' }));
    this.documents.set(name, JSON.stringify(value));
    return Promise.resolve();
  }
}
