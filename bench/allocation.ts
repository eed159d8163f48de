/**
 * Compares the ledger that ships with the goals of docs/design/allocation.md, "Goals", in the simulator
 * `bench/policy-sim`:
 * `npm run bench:allocation [SIMULATOR]`. SIMULATOR is the folder of another version of the simulator, for instance one
 * with more scenarios. It takes some minutes and ends with status 1 when a goal is missed. Goal 10 is not covered: it
 * concerns a store that replicas share.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { DEFAULT_ALLOCATION, type AllocationParameters } from '../src/core/allocation/allocation-parameters.ts';
import type { Candidates } from '../src/core/fleet/candidates.ts';
import { Ledger } from '../src/core/allocation/ledger.ts';

type Metric = 'unhappy' | 'overloaded' | 'overloadTime' | 'peak' | 'wait99' | 'gaveUp' | 'utilWhenQueued';
/** Scenario → policy → metric; shares are from 0 to 1. */
type Results = Readonly<Record<string, Readonly<Record<string, Readonly<Record<Metric, number>>>>>>;

interface Figure {
  readonly what: string;
  readonly figure: number;
  /** Both as docs/design/allocation.md, "Goals" states them. */
  readonly reference: string;
  readonly original: string;
  readonly must: '<=' | '>=';
  readonly goal: number;
}

/** docs/design/allocation.md, "Sensitivity to wrong parameters": all rows except the three that switch a part off. */
const WRONG: Readonly<Record<string, Partial<AllocationParameters>>> = {
  'cost 3': { cost: 3 },
  'cost 30': { cost: 30 },
  'target 80': { target: 80 },
  'target 94': { target: 94 },
  'settle 3-20 s': { settle: [3, 20] },
  'settle 30-180 s': { settle: [30, 180] },
  'settle: step at 60 s': { settle: [60, 60] },
  'sessions 8 min': { sessionLength: 480 },
  'sessions 2 h': { sessionLength: 7200 },
  'last report only': { recent: 0 },
  'recent 60 s': { recent: 60 },
  'jitter 5': { jitter: 5 },
};

/** The scenarios of the study, by which its goals are stated. */
const FORMER = [
  ...['class-3', 'class-10', 'class-300', 'single', 'mid', 'full', 'deadline', 'day', 'fleet-1000', 'slow-poll', 'phantoms'],
  ...['failures', 'noisy', 'slow-start', 'heavy', 'light', 'black-hole', 'first-day', 'pausing', 'stuck-gauge', 'two-kinds'],
  'flood',
];

/** Of `checks`, `unchecked` and `checks-busy`. */
const EVIDENCE_SEEDS = '140';

const projectRoot = findProjectRoot();
const judge = resolve(process.argv[2] ?? join(projectRoot, 'bench/policy-sim'));
const candidate = join(projectRoot, 'dist/bench/candidate.js');
const run = promisify(execFile);

for (const [what, path] of [
  ['the simulator', join(judge, 'run.mjs')],
  ['the built ledger', candidate],
] as const) {
  if (existsSync(path)) continue;
  console.error(`${what} is missing: ${path}. Run "npm run build" first; a folder given as argument must hold a simulator.`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'bench-allocation-'));
try {
  process.exitCode = (await judgeAll()) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

async function judgeAll(): Promise<boolean> {
  console.log(`${''.padEnd(62)}${['figure', 'goal', 'reference', 'original'].map((title) => title.padStart(12)).join('')}`);
  const all = await simulate(['--seeds', '10', '--policies', 'original,candidate,oracle', '--only', FORMER.join()]);
  let met = [...openScenarios(all), ...fullAndBroken(all)].map(print);
  met = [...met, ...classOfThirty(await simulate(['--seeds', '80', '--only', 'class-3', '--policies', 'candidate'])).map(print)];
  met = [...met, ...(await wrongParameters()).map(print)];
  met = [...met, print(timeOfAllocation())];
  const bypass = ['--only', 'two-kinds', '--queue', 'bypass', '--seeds', '30', '--policies', 'candidate'];
  met = [...met, ...passing(await simulate(bypass)).map(print)];
  met = [...met, ...(await evidence(all)).map(print)];
  const missed = met.filter((ok) => !ok).length;
  console.log(missed === 0 ? '\nAll goals are met.' : `\n${missed} goals are missed.`);
  return missed === 0;
}

/**
 * What is learned from requests that never become sessions. One run of `checks` has a standard deviation of 21 points, so these are judged over many seeds: in the
 * first 40 alone, `checks-busy` has more classes that no rule can place (the oracle has 5.9 % there, and 3.1 % in the next 100). With `--counted` the ledger is
 * notified which sessions begin and end, as behind the gateway.
 */
async function evidence(all: Results): Promise<Figure[]> {
  const only = ['--seeds', EVIDENCE_SEEDS, '--policies', 'candidate', '--only', 'checks,unchecked,checks-busy'];
  const plain = await simulate(only);
  const counted = await simulate([...only, '--counted']);
  const former = await simulate(['--seeds', '10', '--policies', 'candidate', '--only', FORMER.join(), '--counted']);
  const beyond = (results: Results) => percent(of(results, 'checks', 'unhappy') - of(results, 'unchecked', 'unhappy'));
  return [
    atMost('checks against unchecked, points', beyond(plain), 5, '5.1', '-'),
    atMost('checks-busy, unhappy %', percent(of(plain, 'checks-busy', 'unhappy')), 12, '13.9', '-'),
    atMost('former scenarios, mean unhappy %', percent(meanOf(all, 'candidate')), 10.6, '10.6', '-'),
    atMost('phantoms, unhappy %', percent(of(all, 'phantoms', 'unhappy')), 1.3, '0.2', '-'),
    atMost('flood, unhappy %', percent(of(all, 'flood', 'unhappy')), 1.7, '1.2', '-'),
    atMost('counted: checks against unchecked, points', beyond(counted), 2, '1.0', '-'),
    atMost('counted: checks-busy, unhappy %', percent(of(counted, 'checks-busy', 'unhappy')), 9, '9.7', '-'),
    atMost('counted: former scenarios, mean unhappy %', percent(meanOf(former, 'candidate')), 9.9, '9.9', '-'),
    ...(await ownScenarios()),
  ];
}

/** Shown beside the class that no check came before; without a goal of their own but that they stay what they are. */
async function ownScenarios(): Promise<Figure[]> {
  const scenarios = join(projectRoot, 'bench/policy-sim/own-scenarios.json');
  const only = ['--seeds', '40', '--policies', 'candidate', '--scenarios', scenarios];
  const plain = await simulate(only);
  const counted = await simulate([...only, '--counted']);
  const figure = (name: string, goal: number, goalCounted: number) => [
    atMost(`${name}, unhappy %`, percent(of(plain, name, 'unhappy')), goal, '-', '-'),
    atMost(`counted: ${name}, unhappy %`, percent(of(counted, name, 'unhappy')), goalCounted, '-', '-'),
  ];
  return [
    ...figure('check-at-school', 50, 35),
    ...figure('wandering-checks', 30, 25),
    ...figure('wandering-busy', 26, 15),
    ...figure('half-real', 5, 5),
  ];
}

function openScenarios(all: Results): Figure[] {
  const mean = percent(meanOf(all, 'candidate'));
  const worst = Object.keys(all)
    .map((name) => ({ name, by: percent(of(all, name, 'unhappy') - of(all, name, 'unhappy', 'original')) }))
    .reduce((a, b) => (b.by > a.by ? b : a));
  return [
    atMost('1 open scenarios, mean unhappy %', mean, 12, '11.0', '40.4'),
    atMost('4 class-10, overloaded %', percent(of(all, 'class-10', 'overloaded')), 5, '3.2', '39.7'),
    atMost('4 class-300, overloaded %', percent(of(all, 'class-300', 'overloaded')), 4, '2.2', '57.6'),
    atMost('5 fleet-1000, overloaded %', percent(of(all, 'fleet-1000', 'overloaded')), 0.5, '0.0', '96.8'),
    atMost('5 fleet-1000, worst server, points', of(all, 'fleet-1000', 'peak'), 105, '93', '3724'),
    atMost(`8 worst against the original (${worst.name}), points`, worst.by, 2, '0.9', '0'),
  ];
}

function fullAndBroken(all: Results): Figure[] {
  const committed = of(all, 'full', 'utilWhenQueued');
  return [
    atMost('6 full, overloaded session time %', percent(of(all, 'full', 'overloadTime')), 4, '2.5', '31.0'),
    {
      what: '6 full, committed load while a client waits',
      figure: committed,
      reference: '84',
      original: '99',
      must: '>=',
      goal: 80,
    },
    atMost('6 full, gave up %', percent(of(all, 'full', 'gaveUp')), 10, '8.0', '0.0'),
    atMost('7 black-hole, unhappy %', percent(of(all, 'black-hole', 'unhappy')), 8, '6.1', '98.6'),
    atMost('7 stuck-gauge, unhappy %', percent(of(all, 'stuck-gauge', 'unhappy')), 2, '0.0', '52.5'),
    atMost('7 flood, unhappy %', percent(of(all, 'flood', 'unhappy')), 3, '1.5', '0.6'),
  ];
}

function classOfThirty(results: Results): Figure[] {
  return [
    atMost('3 class-3, 80 seeds, overloaded %', percent(of(results, 'class-3', 'overloaded')), 1, '0.4', '23.4'),
    atMost('3 class-3, 80 seeds, wait p99, s', of(results, 'class-3', 'wait99'), 60, '48', '-'),
  ];
}

function passing(results: Results): Figure[] {
  return [
    atMost('12 two-kinds with passing, 30 seeds, unhappy %', percent(of(results, 'two-kinds', 'unhappy')), 20, '17.9', '-'),
  ];
}

async function wrongParameters(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, changes] of Object.entries(WRONG)) {
    const results = await simulate(['--seeds', '8', '--policies', 'candidate', '--only', FORMER.join()], changes);
    figures.push(atMost(`9 ${name}, mean unhappy %`, percent(meanOf(results, 'candidate')), 15, '10-14.5', '39.8'));
  }
  return figures;
}

/** CPU of one allocation with 1,000 servers that report every five seconds, and of one such report. */
function timeOfAllocation(): Figure {
  const servers = 1000;
  const allocations = 40_000;
  let seed = 1;
  const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const ledger = new Ledger(DEFAULT_ALLOCATION, random);
  const ids = Array.from({ length: servers }, (_, i) => `server-${i}`);
  for (const id of ids) ledger.add(id, {}, 0);
  const candidates: Candidates = { tiers: [ids] };
  let now = 0;
  const spent = { reports: 0, allocations: 0 };
  for (let round = 0; round < 200; round++) {
    const loads = ids.map(() => 20 + 40 * random());
    now += 5;
    const before = process.cpuUsage();
    for (const [i, id] of ids.entries()) ledger.report(id, loads[i] ?? 0, now, now);
    const between = process.cpuUsage();
    for (let i = 0; i < allocations / 200; i++)
      ledger.book({ id: `${round} ${i}`, project: `project ${i % 20}`, address: `address ${i % 50}` }, candidates, now);
    const after = process.cpuUsage();
    spent.reports += between.user + between.system - before.user - before.system;
    spent.allocations += after.user + after.system - between.user - between.system;
  }
  console.log(`   a report with 1,000 servers: ${(spent.reports / (200 * servers)).toFixed(2)} µs of CPU`);
  return atMost('11 one allocation with 1,000 servers, µs of CPU', spent.allocations / allocations, 50, '22-31', '-');
}

async function simulate(args: readonly string[], parameters: Partial<AllocationParameters> = {}): Promise<Results> {
  const json = join(folder, 'results.json');
  await run(process.execPath, [join(judge, 'run.mjs'), '--with', candidate, '--json', json, ...args], {
    env: { ...process.env, ALLOCATION_PARAMETERS: JSON.stringify(parameters) },
    maxBuffer: 10_000_000,
  });
  return JSON.parse(readFileSync(json, 'utf8')) as Results;
}

function of(results: Results, scenario: string, metric: Metric, policy = 'candidate'): number {
  const figure = results[scenario]?.[policy]?.[metric];
  if (figure === undefined) throw new Error(`the simulator gave no ${metric} of ${policy} in ${scenario}`);
  return figure;
}

function meanOf(results: Results, policy: string): number {
  const names = Object.keys(results);
  return names.reduce((sum, name) => sum + of(results, name, 'unhappy', policy), 0) / names.length;
}

function percent(share: number): number {
  return 100 * share;
}

function atMost(what: string, figure: number, goal: number, reference: string, original: string): Figure {
  return { what, figure, reference, original, must: '<=', goal };
}

function print({ what, figure, reference, original, must, goal }: Figure): boolean {
  const met = must === '<=' ? figure <= goal : figure >= goal;
  const columns = [figure.toFixed(2), `${must} ${goal}`, reference, original].map((column) => column.padStart(12)).join('');
  console.log(`${met ? 'ok  ' : 'MISS'} ${what.padEnd(57)}${columns}`);
  return met;
}

/** It stands two folders above the built file and one above the source. */
function findProjectRoot(): string {
  let path = import.meta.dirname;
  while (!existsSync(join(path, 'package.json'))) path = dirname(path);
  return path;
}
