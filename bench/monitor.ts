/**
 * The monitor: how soon a page is painted and drawn in Chromium, what a tick costs the session server with many servers and viewers, and what a month of
 * history weighs. About two minutes; ends by itself.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { tsImport } from 'tsx/esm/api';
import { packageRoot } from '../src/system/package-root.ts';
import { startChild } from './support/child.ts';
import { note, quantile, tell, title } from './support/figures.ts';
import type { HistoryAnswer, HistoryOrder } from './support/history-process.ts';
import { pause } from './support/pause.ts';
import { startProgram, type Program } from './support/program.ts';
import { startSimulationServers } from './support/simulation-servers.ts';
import { openViewers } from './support/viewers.ts';

const LOADS = [10, 20, 30, 40, 50, 60, 70];
const MILLISECONDS = 1000;
const MIB = 2 ** 20;
const TURNS = 7;

await browserFigures();
await tickFigures();
await historyFigures();

async function browserFigures(): Promise<void> {
  title('the page in Chromium, localhost, nothing in its cache');
  const browser = await launchChromium();
  try {
    await withFleet(50, async (program) => {
      const paints: number[] = [];
      const bare: number[] = [];
      // In turns, because the machine is never quiet for long.
      for (let run = 0; run < 7; run++) {
        paints.push(await visit(browser, program, firstPaint));
        bare.push(await paintOf(browser, program, '/livez'));
      }
      tell({
        what: 'first paint of a fleet of 50, median of 7',
        value: quantile(paints, 0.5),
        unit: 'ms',
        goal: { atMost: 300 },
        comparedTo: { what: 'a page of one word', value: quantile(bare, 0.5) },
      });
    });
    await withFleet(500, async (program) => {
      const draws: number[] = [];
      for (let run = 0; run < 7; run++) draws.push(await visit(browser, program, timeToDraw));
      tell({ what: 'script to draw 500 servers, median of 7', value: quantile(draws, 0.5), unit: 'ms', goal: { atMost: 50 } });
      const frames = await visit(browser, program, framesOfScrolling);
      tell({
        what: 'frames while scrolling through 500 servers: 95% within',
        value: quantile(frames, 0.95),
        unit: 'ms',
        goal: { atMost: 17.5 },
      });
    });
  } finally {
    await browser.close();
  }
}

/** The launcher of the tests, which is not part of the build. */
async function launchChromium(): Promise<Browser> {
  const path = pathToFileURL(join(packageRoot, 'test/support/chromium.ts')).href;
  const { launchChromium: launch } = (await tsImport(path, import.meta.url)) as { launchChromium: () => Promise<Browser> };
  return launch();
}

async function withFleet(count: number, measure: (program: Program) => Promise<void>): Promise<void> {
  const fleet = await startSimulationServers({ count, loads: LOADS });
  try {
    const program = await startProgram({ simulationServers: [...fleet.addresses] });
    try {
      await pause(6);
      await measure(program);
    } finally {
      await program.stop();
    }
  } finally {
    await fleet.kill();
  }
}

async function visit<T>(browser: Browser, program: Program, measure: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, locale: 'en-US' });
  try {
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${program.port}/monitor`);
    await page.waitForSelector('.live');
    return await measure(page);
  } finally {
    await context.close();
  }
}

/** Of a page that needs nothing more. */
async function paintOf(browser: Browser, program: Program, path: string): Promise<number> {
  const page = await browser.newPage();
  try {
    await page.goto(`http://127.0.0.1:${program.port}${path}`);
    await page.waitForFunction(`performance.getEntriesByName('first-contentful-paint').length > 0`);
    return await firstPaint(page);
  } finally {
    await page.close();
  }
}

async function firstPaint(page: Page): Promise<number> {
  return page.evaluate<number>(`performance.getEntriesByName('first-contentful-paint')[0].startTime`);
}

async function timeToDraw(page: Page): Promise<number> {
  return page.evaluate<number>(`performance.getEntriesByName('draw')[0].duration`);
}

/** Milliseconds between two frames while the table scrolls by. */
async function framesOfScrolling(page: Page): Promise<number[]> {
  return page.evaluate<number[]>(`new Promise((resolve) => {
    const table = document.querySelector('.scroll.tall');
    const frames = [];
    let last;
    const step = (now) => {
      if (last !== undefined) frames.push(now - last);
      last = now;
      table.scrollTop += 60;
      if (frames.length < 240) requestAnimationFrame(step);
      else resolve(frames);
    };
    requestAnimationFrame(step);
  })`);
}

async function tickFigures(): Promise<void> {
  const servers = 1000;
  const count = 50;
  const seconds = 5;
  title(`${servers} simulation servers every 5 s, and ${count} viewers`);
  await withFleet(servers, async (program) => {
    await pause(15);
    const alone: number[] = [];
    const watched: number[] = [];
    let bytes = 0;
    // In turns, because the machine is never quiet for long.
    for (let turn = 0; turn < TURNS; turn++) {
      alone.push(await cpuASecond(program, seconds));
      const viewers = await openViewers(program.port, count);
      // The whole fleet is sent to each of them first, which does not count as a tick.
      await pause(2);
      const before = viewers.bytes();
      watched.push(await cpuASecond(program, seconds));
      bytes += viewers.bytes() - before;
      viewers.leave();
    }
    const without = quantile(alone, 0.5);
    tell({
      what: 'CPU a tick costs the session server',
      value: quantile(watched, 0.5) - without,
      unit: 'ms',
      goal: { atMost: 10 },
      comparedTo: { what: 'a second without viewers', value: without },
    });
    note(`a tick has ${(bytes / TURNS / seconds / count / 1024).toFixed(1)} KiB for each viewer`);
  });
}

/** Milliseconds of CPU that the session server uses in a second. */
async function cpuASecond(program: Program, seconds: number): Promise<number> {
  const before = program.usage().cpu;
  await pause(seconds);
  return ((program.usage().cpu - before) / seconds) * MILLISECONDS;
}

async function historyFigures(): Promise<void> {
  const servers = 1000;
  title(`30 days of ${servers} simulation servers`);
  const child = await startChild<HistoryOrder, HistoryAnswer>('history-process');
  try {
    const { memory, file, written, restored, blocked } = await child.ask({ servers });
    tell({ what: 'memory', value: memory / MIB, unit: 'MiB', goal: { atMost: 80 } });
    tell({ what: 'memory of one server', value: memory / servers / 1024, unit: 'KiB', goal: { atMost: 64 } });
    tell({ what: 'restored from its file', value: restored, unit: 's', goal: { atMost: 1.5 } });
    tell({ what: `written (${Math.round(file / MIB)} MiB)`, value: written, unit: 's' });
    tell({ what: 'the thread blocked meanwhile, at most', value: blocked * MILLISECONDS, unit: 'ms', goal: { atMost: 20 } });
  } finally {
    await child.kill();
  }
}
