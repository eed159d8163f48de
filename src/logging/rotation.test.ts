import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { rotate } from './rotation.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotation-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const log = (): string => join(folder, 'log');
const contents = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );

test('the file becomes .1, older ones move on, and the oldest goes', () => {
  for (const name of ['a', 'b', 'c', 'd']) {
    writeFileSync(log(), name);
    rotate(log(), 3);
  }
  assert.deepEqual(contents(), { 'log.1': 'd', 'log.2': 'c', 'log.3': 'b' });
});

test('only files before a gap move, so that a repeated attempt loses nothing', () => {
  writeFileSync(log(), 'new');
  writeFileSync(`${log()}.1`, 'one');
  writeFileSync(`${log()}.3`, 'three');
  rotate(log(), 10);
  assert.deepEqual(contents(), { 'log.1': 'new', 'log.2': 'one', 'log.3': 'three' });
});

test('an attempt that fails in the middle can be repeated without loss', () => {
  writeFileSync(log(), 'new');
  writeFileSync(`${log()}.1`, 'one');
  mkdirSync(`${log()}.2`);
  mkdirSync(`${log()}.3`);
  writeFileSync(join(`${log()}.3`, 'in the way'), '');
  assert.throws(() => rotate(log(), 3), { code: 'ENOTEMPTY' });
  rmSync(`${log()}.3`, { recursive: true });
  rmSync(`${log()}.2`, { recursive: true });
  rotate(log(), 3);
  assert.deepEqual(contents(), { 'log.1': 'new', 'log.2': 'one' });
});

test('without old files to preserve, a new file is begun', () => {
  writeFileSync(log(), 'new');
  rotate(log(), 0);
  assert.deepEqual(contents(), {});
});
