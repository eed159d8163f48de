import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { LogFile, type Gap } from './log-file.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-file-'));
  path = join(folder, 'log', 'session', 'output.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

class Harness {
  now = 1000;
  readonly complaints: string[] = [];
  readonly gaps: Gap[] = [];
  readonly file: LogFile;

  constructor({ maxBytes = 500_000, keep = 10 } = {}) {
    this.file = new LogFile({
      path,
      maxBytes,
      keep,
      now: () => this.now,
      complain: (sentence) => void this.complaints.push(sentence),
      recovered: (gap) => void this.gaps.push(gap),
    });
  }

  say(line: string): void {
    this.file.write(`${line}\n`);
    this.file.flush();
  }
}

const lines = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
/** Of all files, in the order they were written. */
const allLines = (): string[] => {
  const numbers = readdirSync(dirname(path))
    .map((name) => Number(name.split('.')[2] ?? 0))
    .sort((a, b) => b - a);
  return numbers.flatMap((number) => lines(number === 0 ? path : `${path}.${number}`));
};

test('the folder is created, and lines are appended to an existing file', () => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'before\n');
  const { file } = new Harness();
  file.write('after\n');
  file.close();
  assert.deepEqual(lines(path), ['before', 'after']);
});

test('lines of one turn are in the file when the turn is over', async () => {
  const { file } = new Harness();
  file.write('a\n');
  file.write('b\n');
  assert.deepEqual(lines(path), []);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(lines(path), ['a', 'b']);
  file.close();
});

test('thousands of lines over many rotations are all there, once and in order, and no file is too large', () => {
  const harness = new Harness({ maxBytes: 10_000, keep: 100 });
  const said = Array.from({ length: 8000 }, (_, index) => `line ${index} ${'ö'.repeat(index % 50)}`);
  for (const [index, line] of said.entries()) {
    harness.file.write(`${line}\n`);
    if (index % 7 === 0) harness.file.flush();
  }
  harness.file.close();
  assert.deepEqual(allLines(), said);
  const sizes = readdirSync(dirname(path)).map((name) => statSync(join(dirname(path), name)).size);
  assert.ok(sizes.length > 40);
  assert.ok(Math.max(...sizes) <= 10_000);
});

test('a file is rotated before it exceeds its size, to the byte', () => {
  const harness = new Harness({ maxBytes: 20 });
  harness.say('123456789');
  harness.say('123456789');
  assert.ok(!existsSync(`${path}.1`));
  harness.say('');
  harness.file.close();
  assert.equal(statSync(`${path}.1`).size, 20);
  assert.equal(statSync(path).size, 1);
});

test('the ten latest old files remain', () => {
  const harness = new Harness({ maxBytes: 10 });
  for (let index = 0; index < 30; index += 1) harness.say(`line ${index}`);
  harness.file.close();
  assert.deepEqual(
    allLines(),
    Array.from({ length: 11 }, (_, index) => `line ${index + 19}`),
  );
});

test('a line larger than a file is alone in one, whole', () => {
  const harness = new Harness({ maxBytes: 20 });
  for (const line of ['a', 'x'.repeat(100), 'b', 'y'.repeat(100), 'z'.repeat(100)]) harness.say(line);
  harness.file.close();
  assert.deepEqual(lines(`${path}.4`), ['a']);
  assert.deepEqual(lines(`${path}.3`), ['x'.repeat(100)]);
  assert.deepEqual(lines(`${path}.2`), ['b']);
  assert.deepEqual(lines(path), ['z'.repeat(100)]);
});

test('any lines, sizes and flushes lose nothing and double nothing', () => {
  let run = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(60), fc.boolean()), { maxLength: 80 }),
      fc.integer({ min: 1, max: 120 }),
      (plan, maxBytes) => {
        run += 1;
        path = join(folder, String(run), 'output.log');
        const { file } = new Harness({ maxBytes, keep: 200 });
        const said = plan.map(([length], index) => `${index}${'é'.repeat(length)}`);
        plan.forEach(([, flush], index) => {
          file.write(`${said[index]}\n`);
          if (flush) file.flush();
        });
        file.close();
        assert.deepEqual(allLines(), said);
      },
    ),
    { numRuns: 60 },
  );
});

test('a folder that was removed is created again when the file is reopened', () => {
  const harness = new Harness();
  harness.say('before');
  rmSync(join(folder, 'log'), { recursive: true });
  harness.file.reopen();
  harness.say('after');
  harness.file.close();
  assert.deepEqual(lines(path), ['after']);
  assert.deepEqual(harness.complaints, []);
});

test('a file that another program copied and truncated is appended to, and rotated by its new size', () => {
  const harness = new Harness({ maxBytes: 20 });
  for (const line of ['123456789', '12345678']) harness.say(line);
  truncateSync(path);
  for (const line of ['a', 'b', 'c']) harness.say(line);
  assert.deepEqual(lines(path), ['a', 'b', 'c']);
  assert.ok(!existsSync(`${path}.1`));
  harness.file.close();
});

test('a file that was moved without notice is not missed at the next rotation', () => {
  const harness = new Harness({ maxBytes: 20 });
  harness.say('123456789012345678');
  renameSync(path, `${path}.moved`);
  harness.say('after');
  harness.file.close();
  assert.deepEqual(lines(path), ['after']);
  assert.deepEqual(harness.complaints, []);
});

test('a file that another program moved away gets no more lines', () => {
  const harness = new Harness();
  harness.say('before');
  renameSync(path, `${path}.moved`);
  harness.file.reopen();
  harness.say('after');
  harness.file.close();
  assert.deepEqual(lines(`${path}.moved`), ['before']);
  assert.deepEqual(lines(path), ['after']);
  assert.deepEqual(harness.complaints, []);
});

test('a file in place of the folder is reported once; lines are counted until it is fixed', () => {
  writeFileSync(join(folder, 'log'), 'in the way');
  const harness = new Harness();
  for (let index = 0; index < 5; index += 1) {
    harness.say(`line ${index}`);
    harness.now += 5;
  }
  assert.equal(harness.complaints.length, 1);
  assert.match(harness.complaints[0]!, /cannot be written: .*(EEXIST|ENOTDIR).*"logDir".*continues and tries again every 10 s/);
  rmSync(join(folder, 'log'));
  harness.now += 10;
  harness.say('fixed');
  harness.file.close();
  assert.deepEqual(lines(path), ['fixed']);
  assert.equal(harness.gaps.length, 1);
  assert.equal(harness.gaps[0]!.seconds, 35);
  assert.equal(harness.gaps[0]!.lostLines, 5);
});

test('between two attempts the file is left alone', () => {
  writeFileSync(join(folder, 'log'), 'in the way');
  const harness = new Harness();
  rmSync(join(folder, 'log'));
  harness.now += 9;
  harness.say('too early');
  assert.ok(!existsSync(path));
  harness.now += 1;
  harness.say('due');
  assert.deepEqual(lines(path), ['due']);
  harness.file.close();
});

test('a full disk is reported once and does not stop the service, which writes again once there is space', () => {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync('/dev/full', path);
  const harness = new Harness();
  harness.say('one');
  harness.say('two');
  assert.equal(harness.complaints.length, 1);
  assert.match(harness.complaints[0]!, /ENOSPC.*Check the disk/);
  rmSync(path);
  harness.now += 10;
  harness.say('three');
  harness.file.close();
  assert.deepEqual(lines(path), ['three']);
  assert.match(harness.gaps[0]!.reason, /ENOSPC/);
  assert.equal(harness.gaps[0]!.lostLines, 2);
});

test('lines that were not written are counted at the end', () => {
  writeFileSync(join(folder, 'log'), 'in the way');
  const harness = new Harness();
  harness.say('one');
  harness.file.close();
  assert.match(harness.complaints.at(-1)!, /^1 lines could not be written to /);
});

test('when old files cannot be moved the file does not grow beyond its size', () => {
  const harness = new Harness({ maxBytes: 20, keep: 1 });
  mkdirSync(join(`${path}.1`, 'in the way'), { recursive: true });
  for (let index = 0; index < 10; index += 1) harness.say('123456789');
  assert.equal(statSync(path).size, 20);
  assert.equal(harness.complaints.length, 1);
  rmSync(`${path}.1`, { recursive: true });
  harness.now += 10;
  harness.say('fixed');
  harness.file.close();
  assert.deepEqual(lines(path), ['fixed']);
});

test('a pipe without a reader is a failure and does not block', () => {
  mkdirSync(dirname(path), { recursive: true });
  execFileSync('mkfifo', [path]);
  const harness = new Harness();
  harness.say('x');
  assert.match(harness.complaints[0]!, /ENXIO/);
  harness.file.close();
});

test('a line after the end goes to stderr instead of nowhere', () => {
  const harness = new Harness();
  harness.file.close();
  harness.file.close();
  harness.file.write('late\n');
  assert.deepEqual(harness.complaints, ['late\n']);
});
