import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

test('every setting exists in the V8 of this Node, which writes a complaint to stderr for an unknown one', () => {
  const source = readFileSync(join(import.meta.dirname, 'process-memory.ts'), 'utf8');
  const settings = [...source.matchAll(/setFlagsFromString\('(--[a-z-]+)=\d+'\)/g)].map(([, name]) => name);
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  assert.equal(settings.length, 4);
  for (const name of settings) assert.ok(known.includes(`\n  ${name} (`), name);
});
