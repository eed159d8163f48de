/** Thirty days of history of many servers in a process of its own: what it weighs, and how long it takes to be restored from its file. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { History } from '../../src/core/history/history.ts';
import { encodeHistory, HistoryDecoder } from '../../src/core/history/history-snapshot.ts';
import { createHistoryFile } from '../../src/stores/history-file.ts';
import { obey } from './child.ts';

export interface HistoryOrder {
  readonly servers: number;
}

export interface HistoryAnswer {
  /** Bytes. */
  readonly memory: number;
  readonly file: number;
  /** Seconds. */
  readonly written: number;
  readonly restored: number;
  /** Seconds the thread was blocked at most while it was written. */
  readonly blocked: number;
}

const DAYS = 30;
const NOW = 1_800_000_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

obey(async ({ servers }: HistoryOrder): Promise<HistoryAnswer> => {
  const before = weight();
  const history = filled(servers);
  const memory = weight() - before;
  const folder = mkdtempSync(join(tmpdir(), 'bench-history-'));
  try {
    const file = createHistoryFile(folder);
    const { seconds: written, blocked } = await watched(() => file.write(encodeHistory(history, NOW)));
    const began = performance.now();
    const decoder = new HistoryDecoder(NOW);
    await file.read((piece) => decoder.add(piece));
    const restored = decoder.end();
    if (restored.kind !== 'restored') throw new Error(restored.reason);
    const seconds = (performance.now() - began) / 1000;
    return { memory, file: statSync(join(folder, 'history.bin')).size, written, restored: seconds, blocked };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Every bucket of every tier has something in it. */
function filled(servers: number): History {
  const history = new History();
  const ids = Array.from({ length: servers }, (_, index) => `127.0.${Math.floor(index / 250)}.${index % 250}:2000`);
  history.fleetIs(ids);
  const begin = NOW - DAYS * 86_400;
  for (let at = begin; at <= NOW;) {
    history.advance(at);
    for (const [index, id] of ids.entries()) history.sampled(id, at, (index + at / 60) % 100, index % 8);
    history.loadsAre(at, { least: 0, mean: 50, most: 100, booked: 4 });
    const left = NOW - at;
    at += left > 7 * 86_400 ? 3600 : left > 86_400 ? 600 : left > 3600 ? 60 : 10;
  }
  return history;
}

function weight(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function watched(task: () => Promise<void>): Promise<{ readonly seconds: number; readonly blocked: number }> {
  let last = performance.now();
  let blocked = 0;
  const timer = setInterval(() => {
    blocked = Math.max(blocked, performance.now() - last - 1);
    last = performance.now();
  }, 1);
  const began = performance.now();
  await task();
  const seconds = (performance.now() - began) / 1000;
  clearInterval(timer);
  return { seconds, blocked: blocked / 1000 };
}
