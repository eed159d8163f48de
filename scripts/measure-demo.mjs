// Figures of the demo: `npm run bench:demo`, after a build. Linux only, because processes are read from /proc.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/support/free-port.ts';
import { freeRange } from '../test/support/simulation-server.ts';
import { launchChromium } from '../test/support/chromium.ts';

/** Seconds over which processor time is counted. */
const SPAN = 10;
const TRIES = 3;
const MIB = 1024;
/** Clock ticks a second, in which /proc counts. */
const TICKS = 100;

const port = await freePort();
const began = performance.now();
const program = join(import.meta.dirname, '..', 'bin', 'session-server.mjs');
const args = ['demo', '--port', String(port), '--simulation-port', String(await freeRange(15))];
const demo = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
const browser = await start();
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  const frames = [];
  for (let count = 0; count < TRIES; count += 1) frames.push(await clickToFrame(page));
  console.log(`click to first frame (graphics in software): ${frames.map((time) => `${time.toFixed(0)} ms`).join(', ')}`);
  const session = processes().find(({ command }) => command.includes('demo-simulator'));
  const before = ticksOf(session.pid);
  await sleep(SPAN * 1000);
  const share = (ticksOf(session.pid) - before) / TICKS / SPAN;
  console.log(`a session that is watched: ${(share * 100).toFixed(1)}% of a core, ${mebibytes(session.pid)} MiB`);
  console.log(`session server of the demo: ${mebibytes(demo.pid)} MiB`);
  const servers = processes().filter(({ command }) => command.includes('simulation-'));
  console.log(`simulation servers: ${servers.map(({ pid }) => `${mebibytes(pid)} MiB`).join(', ')}`);
} finally {
  await browser.close();
  demo.kill();
}

/** The browser starts only then, so that it takes no time from the program. */
async function start() {
  await new Promise((resolve) => demo.stdout.once('data', resolve));
  console.log(`ready after ${((performance.now() - began) / 1000).toFixed(1)} s: session server, five simulation servers`);
  return launchChromium();
}

async function clickToFrame(page) {
  await page.goto(`http://localhost:${port}/`);
  const button = page.locator('#start', { hasText: 'Start' });
  await button.waitFor();
  const clicked = performance.now();
  await button.click();
  await page.waitForFunction(() => document.querySelector('#picture')?.dataset['view'] !== undefined);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  return performance.now() - clicked;
}

/** Those that the demo started, directly or not. */
function processes() {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const parent = Number(fieldsOf(pid)[1]);
        return [{ pid: Number(pid), parent, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }];
      } catch {
        return [];
      }
    });
  const isOurs = (pid) => pid === demo.pid || (pid > 1 && isOurs(all.find((one) => one.pid === pid)?.parent ?? 0));
  return all.filter(({ parent }) => isOurs(parent));
}

/** What follows the name in parentheses: state, parent, … */
function fieldsOf(pid) {
  return readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
}

function ticksOf(pid) {
  const fields = fieldsOf(pid);
  return Number(fields[11]) + Number(fields[12]);
}

function mebibytes(pid) {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / MIB);
}
