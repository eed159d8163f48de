/** Each dependency has a use and a reason (ARCHITECTURE.md), and none is left behind when the code that used it is gone. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };

test('every dependency of the program is imported by it, and has its sentence in ARCHITECTURE.md', () => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path))
    .map((path) => readFileSync(join(root, 'src', path), 'utf8'))
    .join('\n');
  const reasons = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const names = Object.keys(dependencies);
  assert.ok(names.length > 5);
  const isUsed = (name: string) => new RegExp(`(?:from|import\\() ?'${name}[/']`).test(sources);
  const hasReason = (name: string) => new RegExp(`^- .*\`${name}\``, 'm').test(reasons);
  assert.deepEqual(
    names.filter((name) => !isUsed(name) || !hasReason(name)),
    [],
  );
});
