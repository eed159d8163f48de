#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/program/main.js', import.meta.url);
if (existsSync(program)) await import(program.href);
else {
  const folder = dirname(dirname(fileURLToPath(import.meta.url)));
  console.error(`error: the program is not built yet — run "npm ci && npm run build" in ${folder}`);
  process.exitCode = 1;
}
