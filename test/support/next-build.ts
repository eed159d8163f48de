/** A build like the present one, whose replicas share a newer format: for tests of upgrades. */
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporary, type Scope } from './start-program.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CONSTANT = /^var FORMAT = (\d+);$/m;

/** The path of its program. */
export function makeNextBuild(scope: Scope): string {
  const folder = temporary(scope);
  for (const name of ['package.json', 'bin']) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  for (const name of ['node_modules', 'src', 'config']) symlinkSync(join(ROOT, name), join(folder, name));
  const [from, to] = [join(ROOT, 'dist', 'program'), join(folder, 'dist', 'program')];
  mkdirSync(to, { recursive: true });
  symlinkSync(join(ROOT, 'dist', 'web'), join(folder, 'dist', 'web'));
  // Older builds are beside the present one.
  const present = new Set<string>();
  const waiting = ['main.js'];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    // What only looks like the name of a part is none.
    if (present.has(name) || !existsSync(join(from, name))) continue;
    present.add(name);
    const text = readFileSync(join(from, name), 'utf8');
    for (const [, part = ''] of text.matchAll(/["']\.\/([\w.-]+\.js)["']/g)) waiting.push(part);
    if (CONSTANT.test(text))
      writeFileSync(
        join(to, name),
        text.replace(CONSTANT, (_, format) => `var FORMAT = ${Number(format) + 1};`),
      );
    else copyFileSync(join(from, name), join(to, name));
  }
  if (!readdirSync(to).some((name) => /^var FORMAT = /m.test(readFileSync(join(to, name), 'utf8'))))
    throw new Error('the build has no format; run: npm run build');
  return join(folder, 'bin', 'session-server.mjs');
}
