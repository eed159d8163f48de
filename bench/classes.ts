/**
 * Compares the reserved seats that ship with their goals, in the simulator `bench/policy-sim` with its classes:
 * `npm run bench:classes [SEEDS]`. Beside the goals it prints the baselines: no reservation, machines set apart, the same drained by hand, and seats held
 * for a fixed time. It ends with status 1 when a goal is missed.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

type Metric = 'classAtOnce' | 'classOverloaded' | 'publicGaveUp' | 'publicWait' | 'busy';
/** Scenario → policy → metric; shares are from 0 to 1, `busy` is percent. */
type Results = Readonly<Record<string, Readonly<Record<string, Readonly<Partial<Record<Metric, number | null>>>>>>>;

const BASELINES = ['none', 'static', 'calendar', 'fixed30'] as const;
const projectRoot = findProjectRoot();
const judge = join(projectRoot, 'bench/policy-sim');
const candidate = join(projectRoot, 'dist/bench/candidate.js');
const seeds = process.argv[2] ?? '12';
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'bench-classes-'));
try {
  process.exitCode = (await judgeAll()) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

async function judgeAll(): Promise<boolean> {
  const all = await simulate([...BASELINES, 'candidate-none', 'candidate'], {});
  const counted = await simulate(['candidate'], {}, ['--counted']);
  table(all);
  const met = [...goals(all, ''), ...goals(counted, 'counted: '), ...(await wrongLengths())];
  return met.every(Boolean);
}

/** What each policy costs whom, mean of the scenarios. */
function table(all: Results): void {
  const columns: readonly (readonly [string, Metric, number])[] = [
    ['class at once %', 'classAtOnce', 100],
    ['class overloaded %', 'classOverloaded', 100],
    ['public gave up %', 'publicGaveUp', 100],
    ['public wait s', 'publicWait', 1],
    ['fleet busy %', 'busy', 1],
  ];
  console.log(''.padEnd(18) + columns.map(([title]) => title.padStart(20)).join(''));
  for (const policy of [...BASELINES, 'candidate-none', 'candidate'])
    console.log(
      policy.padEnd(18) + columns.map(([, metric, by]) => (by * mean(all, policy, metric)).toFixed(1).padStart(20)).join(''),
    );
}

function goals(all: Results, label: string): boolean[] {
  const of = (metric: Metric) => 100 * mean(all, 'candidate', metric);
  const worst = worstOf(all);
  const met = [
    print(`${label}C1 class at once, mean %`, of('classAtOnce'), '>=', 97),
    print(`${label}C1 class at once, worst (${worst.name}) %`, worst.figure, '>=', 82),
    print(`${label}C2 public gave up %`, of('publicGaveUp'), '<=', 14.5),
    print(`${label}C7 class overloaded %`, of('classOverloaded'), '<=', 10),
  ];
  if (label !== '') return met;
  const lost = mean(all, 'candidate-none', 'busy') - mean(all, 'candidate', 'busy');
  const noShow = 100 * figure(all, 'no-show', 'candidate', 'publicGaveUp');
  return [...met, print('C3 fleet less busy, points', lost, '<=', 4), print('C3 no-show, gave up %', noShow, '<=', 14)];
}

/** C4: sessions are believed half or twice as long as they are. */
async function wrongLengths(): Promise<boolean[]> {
  const met: boolean[] = [];
  for (const lengthFactor of [0.5, 2]) {
    const all = await simulate(['candidate'], { lengthFactor });
    met.push(print(`C4 sessions believed × ${lengthFactor}: at once %`, 100 * mean(all, 'candidate', 'classAtOnce'), '>=', 85));
    met.push(print(`C4 sessions believed × ${lengthFactor}: gave up %`, 100 * mean(all, 'candidate', 'publicGaveUp'), '<=', 18));
  }
  return met;
}

async function simulate(policies: readonly string[], parameters: object, more: readonly string[] = []): Promise<Results> {
  const json = join(folder, 'results.json');
  const args = ['--scenarios', join(judge, 'classes.json'), '--seeds', seeds, '--policies', policies.join(), ...more];
  await run(process.execPath, [join(judge, 'run.mjs'), '--with', candidate, '--json', json, ...args], {
    env: { ...process.env, ALLOCATION_PARAMETERS: JSON.stringify(parameters) },
    maxBuffer: 10_000_000,
  });
  return JSON.parse(readFileSync(json, 'utf8')) as Results;
}

function worstOf(all: Results): { readonly name: string; readonly figure: number } {
  return Object.keys(all)
    .map((name) => ({ name, figure: 100 * figure(all, name, 'candidate', 'classAtOnce') }))
    .filter(({ figure }) => Number.isFinite(figure))
    .reduce((worst, one) => (one.figure < worst.figure ? one : worst));
}

/** Of the scenarios to which somebody came. */
function mean(all: Results, policy: string, metric: Metric): number {
  const figures = Object.keys(all)
    .map((name) => figure(all, name, policy, metric))
    .filter((one) => Number.isFinite(one));
  return figures.reduce((sum, one) => sum + one, 0) / figures.length;
}

function figure(all: Results, name: string, policy: string, metric: Metric): number {
  return all[name]?.[policy]?.[metric] ?? NaN;
}

function print(what: string, value: number, must: '<=' | '>=', goal: number): boolean {
  const met = must === '<=' ? value <= goal : value >= goal;
  console.log(`${met ? 'ok  ' : 'MISS'} ${what.padEnd(57)}${value.toFixed(1).padStart(9)} ${must} ${goal}`);
  return met;
}

/** It stands two folders above the built file and one above the source. */
function findProjectRoot(): string {
  let path = import.meta.dirname;
  while (!existsSync(join(path, 'package.json'))) path = dirname(path);
  return path;
}
