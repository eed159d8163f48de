#!/usr/bin/env node
/**
 * Runs scenarios with several policies and prints tables. See README.md.
 *
 *   node bench/policy-sim/run.mjs [--scenarios FILE] [--only a,b] [--policies a,b] [--seeds N] [--first-seed K]
 *                           [--counted] [--queue fifo|bypass|retry] [--detail] [--json FILE]
 *                           [--with FILE]   a module whose `create(ctx)` makes one more policy, shown as "candidate";
 *                                           in scenarios with reservations it also runs as
 *                                           "candidate-none", which sees no reservations
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { pathToFileURL } from 'node:url';
import { simulate } from './engine.mjs';
import { CLASS_POLICIES, POLICIES } from './policies.mjs';

const JOBS = 2;
/** @param {string} name */
function maker(name) {
  const made = POLICIES[name] ?? CLASS_POLICIES[name];
  if (made) return made;
  throw new Error(
    `no policy called ${name}; there are: ${[...Object.keys(POLICIES), ...Object.keys(CLASS_POLICIES)].join(', ')}`,
  );
}

/** @param {string} file */
async function load(file) {
  if (!file) return;
  const { create } = await import(pathToFileURL(file).href);
  POLICIES.candidate = create;
  CLASS_POLICIES['candidate-none'] = (ctx) => withoutReservations(create, ctx);
  CLASS_POLICIES.candidate = create;
}

/** The same policy without class codes and without reserved seats. @param {(ctx: any) => any} create @param {any} ctx */
function withoutReservations(create, ctx) {
  const p = create({ ...ctx, reservations: [] });
  const plain = (/** @type {any} */ { code, ...request }) => request;
  return {
    name: 'candidate-none',
    pollMode: p.pollMode,
    onReport: (/** @type {any[]} */ ...a) => p.onReport(...a),
    onPollFailed: (/** @type {any[]} */ ...a) => p.onPollFailed(...a),
    pick: (/** @type {number} */ now, /** @type {any} */ r) => p.pick(now, plain(r)),
    onAssign: (/** @type {number} */ s, /** @type {number} */ now, /** @type {any} */ r) => p.onAssign(s, now, plain(r)),
    onConnect: (/** @type {number} */ s, /** @type {number} */ now, /** @type {any} */ r) => p.onConnect?.(s, now, plain(r)),
    onLeave: (/** @type {number} */ s, /** @type {number} */ now, /** @type {any} */ r) => p.onLeave?.(s, now, plain(r)),
  };
}

if (!isMainThread) {
  const { scenarios } = workerData;
  const ready = load(workerData.file);
  parentPort?.on('message', async (/** @type {any} */ m) => {
    await ready;
    const r = simulate(scenarios[m.scenario], maker(m.policy), m.seed);
    parentPort?.postMessage({ ...m, r });
  });
} else await main(process.argv.slice(2));

/** @param {string[]} argv */
async function main(argv) {
  const value = (/** @type {string} */ flag, /** @type {string} */ otherwise) => {
    const i = argv.indexOf(flag);
    return i < 0 ? otherwise : argv[i + 1];
  };
  const has = (/** @type {string} */ flag) => argv.includes(flag);
  const candidate = value('--with', '');
  await load(candidate);
  const file = value('--scenarios', new URL('./scenarios.json', import.meta.url).pathname);
  /** @type {any[]} */
  let scenarios = JSON.parse(readFileSync(file, 'utf8'));
  const only = value('--only', '');
  if (only) scenarios = scenarios.filter((s) => only.split(',').includes(s.name));
  if (has('--counted')) scenarios = scenarios.map((s) => ({ ...s, counted: true }));
  if (has('--queue')) scenarios = scenarios.map((s) => ({ ...s, queue: value('--queue', 'fifo') }));
  const classes = scenarios.filter((s) => s.reservations?.length);
  let names = Object.keys(classes.length ? CLASS_POLICIES : POLICIES);
  if (value('--policies', '')) names = value('--policies', '').split(',');
  names.forEach(maker);
  const seeds = Number(value('--seeds', '6'));
  const first = Number(value('--first-seed', '1'));

  const started = Date.now();
  const tasks = [];
  scenarios.forEach((sc, i) => {
    for (let k = 0; k < Math.min(seeds, sc.maxSeeds ?? Infinity); k++)
      for (const p of names) tasks.push({ scenario: i, policy: p, seed: first + k });
  });
  // The longest runs first.
  tasks.sort((a, b) => (scenarios[b.scenario].servers?.count ?? 5) - (scenarios[a.scenario].servers?.count ?? 5));
  const results = await all(tasks, scenarios, candidate);

  /** @type {Record<string, Record<string, any>>} mean of every metric */
  const mean = {};
  for (const sc of scenarios) mean[sc.name] = {};
  for (const { scenario, policy, r } of results) {
    const m = (mean[scenarios[scenario].name][policy] ??= { runs: 0 });
    m.runs++;
    for (const [k, v] of Object.entries(r))
      if (!Number.isNaN(v)) {
        const x = (m[k] ??= { sum: 0, count: 0 });
        x.sum += v;
        x.count++;
      }
  }
  for (const row of Object.values(mean))
    for (const m of Object.values(row)) for (const k of Object.keys(m)) if (k !== 'runs') m[k] = m[k].sum / m[k].count;

  if (classes.length) classTable(classes, mean, names);
  if (has('--detail')) for (const sc of scenarios) detail(sc, mean[sc.name], names);
  else {
    matrix(
      'Unhappy clients, % (overloaded for 5 s or more, gave up, waited over 60 s, or sent to a dead server)',
      scenarios,
      mean,
      names,
      (m) => 100 * m.unhappy,
      1,
    );
    matrix(
      'Overloaded sessions, % (5 s or more on a server at 95 or above)',
      scenarios,
      mean,
      names,
      (m) => 100 * m.overloaded,
      1,
    );
    matrix('Session time on overloaded servers, %', scenarios, mean, names, (m) => 100 * m.overloadTime, 1);
    matrix('Peak true load of the worst server (points, may exceed 100)', scenarios, mean, names, (m) => m.peak, 0, false);
    matrix('Wait for a place, p99, s', scenarios, mean, names, (m) => m.wait99, 0);
    matrix('Clients that gave up waiting, %', scenarios, mean, names, (m) => 100 * m.gaveUp, 1);
  }
  const gap = (/** @type {string} */ p) => {
    const avg = (/** @type {string} */ q) => scenarios.reduce((s, sc) => s + mean[sc.name][q].unhappy, 0) / scenarios.length;
    return (100 * (avg('original') - avg(p))) / (avg('original') - avg('oracle'));
  };
  if (names.includes('original') && names.includes('oracle')) {
    console.log('Share of the gap original -> oracle that is closed (mean of unhappy clients):');
    console.log(names.map((p) => `  ${p} ${gap(p).toFixed(0)}%`).join('\n'));
  }
  console.log(`\n${tasks.length} runs, ${seeds} seed(s) from ${first}, ${((Date.now() - started) / 1000).toFixed(0)} s`);
  if (value('--json', '')) writeFileSync(value('--json', ''), JSON.stringify(mean, null, 1));
}

/** @param {any[]} tasks @param {any[]} scenarios @param {string} file @returns {Promise<any[]>} */
function all(tasks, scenarios, file) {
  return new Promise((resolve, reject) => {
    /** @type {any[]} */
    const out = [];
    let next = 0,
      running = JOBS;
    for (let k = 0; k < JOBS; k++) {
      const w = new Worker(new URL(import.meta.url), { workerData: { scenarios, file } });
      const feed = () => {
        if (next < tasks.length) w.postMessage({ ...tasks[next], index: next++ });
        else {
          w.terminate();
          if (--running === 0) resolve(out);
        }
      };
      // Results are kept in the order of the tasks, so that a command always prints the same bytes.
      w.on('message', ({ index, ...m }) => {
        out[index] = m;
        feed();
      });
      w.on('error', reject);
      feed();
    }
  });
}

function matrix(title, scenarios, mean, names, f, digits, average = true) {
  const width = Math.max(6, ...names.map((p) => Math.min(p.length, 13))) + 1;
  const cell = (/** @type {number} */ x) => (Number.isFinite(x) ? x.toFixed(digits) : '-').padStart(width);
  console.log(title);
  console.log(''.padEnd(14) + names.map((p) => p.slice(0, width - 1).padStart(width)).join(''));
  for (const sc of scenarios) console.log(sc.name.padEnd(14) + names.map((p) => cell(f(mean[sc.name][p]))).join(''));
  if (average)
    console.log(
      'mean'.padEnd(14) +
        names.map((p) => cell(scenarios.reduce((s, sc) => s + f(mean[sc.name][p]), 0) / scenarios.length)).join(''),
    );
  console.log();
}

/**
 * The metrics of scenarios with reservations; see README.md.
 * @param {any[]} scenarios @param {any} mean @param {string[]} names
 */
function classTable(scenarios, mean, names) {
  /** @type {[string, string, number, number][]} heading, metric, factor, digits */
  const cols = [
    ['at once%', 'classAtOnce', 100, 1],
    ['p95 s', 'classWait95', 1, 0],
    ['overl%', 'classOverloaded', 100, 1],
    ['gaveUp%', 'publicGaveUp', 100, 1],
    ['wait s', 'publicWait', 1, 0],
    ['busy%', 'busy', 1, 1],
    ['early%', 'publicCut', 100, 1],
  ];
  const line = (/** @type {string} */ a, /** @type {string} */ b, /** @type {number[]} */ v) =>
    console.log(
      a.padEnd(20) + b.padEnd(16) + v.map((x, i) => (Number.isFinite(x) ? x.toFixed(cols[i][3]) : '-').padStart(9)).join(''),
    );
  console.log(
    'Classes: served at once (3 s), p95 of their wait, sessions overloaded | public: gave up, mean wait' +
      ' | fleet busy | public sessions ended early',
  );
  console.log(''.padEnd(36) + cols.map((c) => c[0].padStart(9)).join(''));
  const figure = (/** @type {any} */ sc, /** @type {string} */ p, /** @type {any[]} */ c) =>
    (mean[sc.name][p][c[1]] ?? NaN) * c[2];
  for (const sc of scenarios)
    names.forEach((p, i) =>
      line(
        i ? '' : sc.name,
        p,
        cols.map((c) => figure(sc, p, c)),
      ),
    );
  names.forEach((p, i) =>
    line(
      i ? '' : 'mean',
      p,
      cols.map((c) => {
        const v = scenarios.map((sc) => figure(sc, p, c)).filter(Number.isFinite);
        return v.reduce((a, b) => a + b, 0) / v.length;
      }),
    ),
  );
  if (
    names.includes('candidate') &&
    names.includes('candidate-none') &&
    scenarios.every((sc) => JSON.stringify(mean[sc.name].candidate) === JSON.stringify(mean[sc.name]['candidate-none']))
  ) {
    console.log('The candidate ignores reservations: it does the same without them.');
  }
  console.log();
}

function detail(sc, row, names) {
  const cols = [
    ['unhap%', (m) => 100 * m.unhappy, 1],
    ['overl%', (m) => 100 * m.overloaded, 1],
    ['ovTime%', (m) => 100 * m.overloadTime, 1],
    ['peak', (m) => m.peak, 0],
    ['spread', (m) => m.spread, 1],
    ['jain', (m) => m.jain, 3],
    ['wait50', (m) => m.wait50, 0],
    ['wait99', (m) => m.wait99, 0],
    ['gaveUp%', (m) => 100 * m.gaveUp, 1],
    ['refus%', (m) => 100 * m.refused, 1],
    ['wrongR%', (m) => 100 * m.refusedWrongly, 1],
    ['idleW s', (m) => m.needlessWait, 1],
    ['utilQ', (m) => m.utilWhenQueued, 0],
    ['mispl%', (m) => 100 * m.misplaced, 1],
    ['overA%', (m) => 100 * m.overAdmitted, 1],
    ['dead', (m) => m.deadPlacements, 1],
    ['hole', (m) => m.blackholed, 1],
  ];
  console.log(`${sc.name}: ${sc.about}`);
  console.log(''.padEnd(18) + cols.map((c) => String(c[0]).padStart(8)).join(''));
  for (const p of names) {
    console.log(
      p.padEnd(18) +
        cols
          .map(([, f, d]) => {
            const x = /** @type {any} */ (f)(row[p]);
            return (Number.isFinite(x) ? x.toFixed(d) : '-').padStart(8);
          })
          .join(''),
    );
  }
  console.log();
}
