/**
 * CPU of the process for a line of the log, with everything that belongs to it: secrets, escaping, time stamp, rotation and the writing itself.
 * `node --import tsx bench/log.ts`; ends by itself within a few seconds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openLog } from '../src/logging/log.ts';
import { loggableText } from '../src/logging/loggable.ts';
import type { Clock } from '../src/ports.ts';

const LINES = 100_000;
/** Lines said in one turn of the event loop. */
const BURST = 20;

const clock: Clock = {
  now: () => performance.now() / 1000,
  wallTime: () => Date.now() / 1000,
  sleep: (_seconds, signal) =>
    new Promise((resolve) => {
      signal?.addEventListener('abort', () => resolve(), { once: true });
    }),
};
const fields = { server: 'sim7.example.org/2000', load: 20.5, client: '192.0.2.17', reason: 'no answer within 4 s' };
const folder = mkdtempSync(join(tmpdir(), 'bench-log-'));

try {
  const bare = pino({ base: null }, pino.destination({ dest: join(folder, 'bare.log'), sync: true }));
  const reference = await microsecondsPerLine(() => bare.info(fields, 'Session handed out'), BURST);
  print('pino alone, JSON, 4 fields, a write a line', reference, reference);

  for (const format of ['text', 'json'] as const) {
    const log = openLog({ logDir: join(folder, format), debug: false, format, clock });
    const turn = (line: () => void) => microsecondsPerLine(line, BURST);
    print(`${format}, no fields`, await turn(() => log.info('Session handed out to sim7.example.org/2000')), reference);
    print(`${format}, 4 fields`, await turn(() => log.info('Session handed out', fields)), reference);
    print(
      `${format}, 4 fields, one line a turn`,
      await microsecondsPerLine(() => log.info('Session handed out', fields), 1),
      reference,
    );
    print(
      `${format}, a URL`,
      await turn(() => log.info('POST https://user:password@example.org/hook?token=x failed')),
      reference,
    );
    print(`${format}, below the level`, await turn(() => log.debug('Session handed out', fields)), reference);
    print(`${format}, limited away`, await turn(() => log.limited('info', 'key', 'Session handed out', fields)), reference);
    await log.close();
  }

  const evil = [
    '://'.repeat(6000),
    `?${'key'.repeat(6000)}`,
    '&a='.repeat(6000),
    `authorization${' '.repeat(16_000)}`,
    'bearer '.repeat(2500),
  ];
  const worst = evil.map((text) => cpuMicroseconds(() => loggableText(text)));
  console.log(`\nlongest search for secrets in a hostile text of 16 KiB: ${Math.max(...worst)} µs`);
} finally {
  rmSync(folder, { recursive: true });
}

async function microsecondsPerLine(say: () => void, burst: number): Promise<number> {
  const lines = burst === 1 ? LINES / 5 : LINES;
  for (let line = 0; line < 2000; line += 1) say();
  await new Promise((resolve) => setImmediate(resolve));
  const before = process.cpuUsage();
  for (let line = 0; line < lines; line += burst) {
    for (let said = 0; said < burst; said += 1) say();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / lines;
}

function cpuMicroseconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function print(what: string, microseconds: number, reference: number): void {
  console.log(
    `${what.padEnd(44)} ${microseconds.toFixed(2).padStart(7)} µs CPU a line  ${(microseconds / reference).toFixed(2).padStart(5)} of pino alone`,
  );
}
