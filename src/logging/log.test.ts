import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { logPath, openLog, type LogOptions, type OpenLog } from './log.ts';

let logDir = '';
beforeEach(() => {
  logDir = mkdtempSync(join(tmpdir(), 'log-'));
});
afterEach(() => rmSync(logDir, { recursive: true, force: true }));

const wallTime = new Date(2026, 10, 22, 15, 18, 24, 789).getTime() / 1000;
const nothingTo = { write: () => assert.fail('nothing was to be written there') };

function open(options: Partial<LogOptions> = {}): { log: OpenLog; clock: FakeClock; lines: () => string[] } {
  const clock = new FakeClock(1000, wallTime);
  const log = openLog({ logDir, debug: false, format: 'text', clock, stdout: nothingTo, stderr: nothingTo, ...options });
  const lines = (): string[] => {
    log.flushSync();
    return readFileSync(logPath(logDir), 'utf8').split('\n').slice(0, -1);
  };
  return { log, clock, lines };
}

class Sink {
  text = '';
  write = (text: string): void => void (this.text += text);
}

test('lines look like the original’s, at information level and above', async () => {
  const { log, lines } = open();
  log.debug('hidden');
  log.info('Session server running on port 1999');
  log.warn('host/2000 does not answer', { server: 'host/2000' });
  log.error('100% of %s and %d', { port: 25 });
  assert.deepEqual(lines(), [
    '2026-11-22 15:18:24,789 [INFO   ]  Session server running on port 1999',
    '2026-11-22 15:18:24,789 [WARNING]  host/2000 does not answer server=host/2000',
    '2026-11-22 15:18:24,789 [ERROR  ]  100% of %s and %d port=25',
  ]);
  await log.close();
});

test('with debug everything goes to stdout and no file is created', async () => {
  const stdout = new Sink();
  const { log } = open({ debug: true, stdout });
  log.debug('detail');
  log.info('news');
  await log.close();
  assert.match(stdout.text, /^2026-11-22 15:18:24,789 \[DEBUG {2}\] {2}detail\n2026-11-22 15:18:24,789 \[INFO {3}\] {2}news\n$/);
  assert.throws(() => readFileSync(logPath(logDir)), { code: 'ENOENT' });
});

test('JSON lines carry time, level, message and fields, one object a line', async () => {
  const { log, lines } = open({ format: 'json' });
  log.info('started');
  log.warn('two\nlines\u2028', { level: 'forged', time: 0, message: 'forged', n: 1, error: new Error('boom') });
  const [first, second] = lines().map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(first, { level: 'info', time: new Date(wallTime * 1000).toISOString(), message: 'started' });
  assert.equal(second!.level, 'warn');
  assert.equal(second!.message, 'two\nlines\u2028');
  const { error, ...fields } = second!.fields as Record<string, Record<string, unknown>>;
  assert.deepEqual(fields, { level: 'forged', time: 0, message: 'forged', n: 1 });
  assert.equal(error!.message, 'boom');
  assert.equal(lines().length, 2);
  await log.close();
});

for (const format of ['text', 'json'] as const) {
  test(`secrets do not appear in ${format} lines`, async () => {
    const { log, lines } = open({ format });
    log.info('posting to https://u:hunter2@host', {
      headers: { Authorization: 'hunter2' },
      settings: { mailSenderPassword: 'hunter2' },
    });
    log.error('failed', { error: Object.assign(new Error('https://u:hunter2@host'), { token: 'hunter2' }) });
    assert.doesNotMatch(lines().join('\n'), /hunter2/);
    await log.close();
  });

  test(`text from outside cannot forge ${format} lines`, async () => {
    const { log, lines } = open({ format });
    const evil = 'x\r\n2026-11-22 15:18:24,789 [INFO   ]  forged\u2028\u0085\u001b[2J';
    log.info(evil, { [evil]: evil, list: [evil] });
    const [line, ...more] = lines();
    assert.deepEqual(more, []);
    assert.doesNotMatch(line!, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    await log.close();
  });
}

test('actions of unknown clients are logged a few times a minute, then counted', async () => {
  const { log, clock, lines } = open();
  for (let index = 0; index < 20; index += 1) log.limited('info', 'bad-path', `No such path /${index}`);
  log.info('other news');
  assert.equal(lines().length, 6);
  await clock.advance(60);
  assert.match(lines()[6]!, /15:19:24,789 \[INFO {3}\] {2}15 more lines of this kind were suppressed kind=bad-path$/);
  log.limited('info', 'bad-path', 'No such path again');
  assert.match(lines()[7]!, /No such path again$/);
  await clock.advance(300);
  assert.equal(lines().length, 8);
  await log.close();
});

test('lines that were left out are also counted at the end', async () => {
  const { log } = open();
  for (let index = 0; index < 7; index += 1) log.limited('warn', 'bad-path', 'x');
  await log.close();
  assert.match(readFileSync(logPath(logDir), 'utf8'), /\[WARNING\] {2}2 more lines of this kind/);
});

test('a flood with new keys each time stays within a hundred lines a minute', async () => {
  const { log, clock, lines } = open();
  for (let index = 0; index < 5000; index += 1) log.limited('info', `key ${index}`, 'x');
  assert.equal(lines().length, 100);
  await clock.advance(60);
  assert.match(lines()[100]!, /4900 more lines of this kind were suppressed kind=key$/);
  await log.close();
});

test('the line about the stop is the last one, after what was left out', async () => {
  const { log, lines } = open();
  for (let i = 0; i < 7; i += 1) log.limited('warn', 'x', 'again');
  await log.close('stopped');
  const written = lines().map((line) => line.slice(35));
  assert.deepEqual(written.slice(5), ['2 more lines of this kind were suppressed kind=x', 'stopped']);
});

test('a file has at most 500 000 bytes, and ten old ones remain, as with the original', async () => {
  const { log } = open();
  const text = 'x'.repeat(3_900);
  for (let line = 0; line < 1500; line += 1) {
    log.info(`${line} ${text}`);
    log.flushSync();
  }
  await log.close();
  const folder = join(logDir, 'session');
  const expected = ['output.log', ...Array.from({ length: 10 }, (_, index) => `output.log.${index + 1}`)];
  assert.deepEqual(new Set(readdirSync(folder)), new Set(expected));
  for (const name of expected.slice(1)) {
    const { size } = statSync(join(folder, name));
    assert.ok(size > 480_000 && size <= 500_000, `${name} has ${size} bytes`);
  }
  const youngest = readFileSync(join(folder, 'output.log.1'), 'utf8');
  assert.ok(statSync(join(folder, 'output.log')).size <= 500_000);
  const numberOf = (text: string) => Number(/\] {2}(\d+) /.exec(text)?.[1]);
  assert.ok(numberOf(youngest) > numberOf(readFileSync(join(folder, 'output.log.2'), 'utf8')));
});

test('a log folder that cannot be created is reported once on stderr; later the log says how many lines were lost', async () => {
  rmSync(logDir, { recursive: true });
  writeFileSync(logDir, 'in the way');
  const stderr = new Sink();
  const { log, clock, lines } = open({ stderr });
  log.info('while broken');
  await clock.advance(5);
  log.info('still broken');
  await clock.advance(5);
  rmSync(logDir);
  log.info('fixed');
  const written = lines();
  assert.deepEqual(
    written.map((line) => line.slice(35)),
    ['fixed', `The log could not be written for 10 s; 2 lines were lost reason="${/reason="([^"]*)"/.exec(written[1]!)![1]!}"`],
  );
  assert.equal(stderr.text.split('\n').length, 2);
  assert.match(stderr.text, /^session-server: The log .* cannot be written/);
  await log.close();
});

test('lines are saved when the process ends without closing, also by a crash', () => {
  const script = `
    import { openLog } from ${JSON.stringify(join(import.meta.dirname, 'log.ts'))};
    const clock = { now: () => 0, wallTime: () => Date.now() / 1000, sleep: () => new Promise(() => {}) };
    const log = openLog({ logDir: ${JSON.stringify(logDir)}, debug: false, format: 'text', clock });
    log.info('last words');
    if (process.argv[1] === 'crash') throw new Error('bug');
    process.exit(3);
  `;
  const node = (how: string) =>
    spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, how], { encoding: 'utf8' });
  assert.equal(node('exit').status, 3);
  assert.equal(node('crash').status, 1);
  assert.equal(readFileSync(logPath(logDir), 'utf8').match(/last words/g)?.length, 2);
});

test('a reader of stdout that goes away does not end the process', () => {
  const script = `
    import { openLog } from ${JSON.stringify(join(import.meta.dirname, 'log.ts'))};
    const clock = { now: () => 0, wallTime: () => Date.now() / 1000, sleep: () => new Promise(() => {}) };
    const log = openLog({ logDir: '/nowhere', debug: true, format: 'text', clock });
    for (let turn = 0; turn < 50; turn += 1) {
      log.info('x'.repeat(4000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    process.stderr.write('still here\\n');
  `;
  const command = '"$0" --import tsx --input-type=module -e "$1" 2>&1 >&3 | cat';
  const stderr = execFileSync('bash', ['-c', `exec 3> >(exec true); ${command}`, process.execPath, script], { encoding: 'utf8' });
  assert.match(stderr, /The log on stdout cannot be written.*\n.*still here\n/s);
  assert.equal(stderr.match(/cannot be written/g)?.length, 1);
});
