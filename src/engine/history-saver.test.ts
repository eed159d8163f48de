import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History } from '../core/history/history.ts';
import type { HistoryFile } from '../ports.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { readHistory, restoreHistory, startHistorySaver, type HistorySaverOptions } from './history-saver.ts';

/** A file in memory. */
class MemoryFile implements HistoryFile {
  bytes: Uint8Array | undefined;
  aside: Uint8Array | undefined;
  failing = false;
  writes = 0;

  read(take: (piece: Uint8Array) => boolean): Promise<boolean> {
    if (this.failing) return Promise.reject(new Error('the disk is gone'));
    if (this.bytes !== undefined) take(this.bytes);
    return Promise.resolve(this.bytes !== undefined);
  }

  write(pieces: Iterable<Uint8Array>): Promise<void> {
    if (this.failing) return Promise.reject(new Error('the disk is full'));
    this.bytes = new Uint8Array(Buffer.concat([...pieces]));
    this.writes += 1;
    return Promise.resolve();
  }

  setAside(): Promise<string> {
    this.aside = this.bytes;
    this.bytes = undefined;
    return Promise.resolve('history.bin.damaged');
  }
}

function setUp() {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const file = new MemoryFile();
  const history = new History();
  return { clock, log, file, history };
}

async function restore({ clock, ...options }: HistorySaverOptions): Promise<void> {
  await restoreHistory(await readHistory(options.file, clock.wallTime()), options);
}

function record(history: History, clock: FakeClock, load: number): void {
  history.advance(clock.wallTime());
  history.sampled('a:1', clock.wallTime(), load, 0);
}

function loads(history: History, clock: FakeClock): number[] {
  const to = clock.wallTime() + 10;
  const view = history.query({ server: 'a:1', from: to - 3600, to, step: 10 });
  return (view?.mean ?? []).filter((value) => value !== null);
}

test('the history is written every minute and once more at the end, and the next run continues it', async () => {
  const { clock, log, file, history } = setUp();
  const saver = startHistorySaver({ clock, log, history, file });
  record(history, clock, 10);
  await clock.advance(59);
  assert.equal(file.writes, 0);
  await clock.advance(121);
  assert.equal(file.writes, 3);
  record(history, clock, 20);
  await saver.stop();
  assert.equal(file.writes, 4);

  await clock.advance(300);
  const next = new History();
  next.fleetIs(['a:1']);
  await restore({ clock, log, history: next, file });
  record(next, clock, 30);
  assert.deepEqual(loads(next, clock), [10, 20, 30]);
  assert.deepEqual(log.lines, []);
});

test('a first start finds nothing and says nothing', async () => {
  const { clock, log, file, history } = setUp();
  await restore({ clock, log, history, file });
  assert.deepEqual(log.lines, []);
});

test('a history that cannot be used is set aside, reported once, and recording starts empty', async () => {
  const { clock, log, file, history } = setUp();
  file.bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await restore({ clock, log, history, file });
  assert.deepEqual(file.aside, new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
  assert.match(log.complaints.join(), /cannot be used: it is damaged.*set aside as history\.bin\.damaged/);
  record(history, clock, 10);
  assert.deepEqual(loads(history, clock), [10]);
});

test('a disk that is full or gone costs one line in the log, and one when it is back', async () => {
  const { clock, log, file, history } = setUp();
  file.failing = true;
  await restore({ clock, log, history, file });
  const saver = startHistorySaver({ clock, log, history, file });
  await clock.advance(600);
  assert.equal(log.complaints.length, 2);
  file.failing = false;
  await clock.advance(60);
  assert.equal(log.lines.at(-1)?.message, 'the history can be written again');
  await saver.stop();
});

test('a history that cannot be read is not written over: it may be readable again later', async () => {
  const { clock, log, file, history } = setUp();
  const before = (file.bytes = new Uint8Array([1, 2, 3]));
  file.failing = true;
  await restore({ clock, log, history, file });
  assert.equal(log.complaints.length, 1);
  file.failing = false;
  await startHistorySaver({ clock, log, history, file }).stop();
  assert.equal(file.aside, before);
  assert.notEqual(file.bytes, before);
});
