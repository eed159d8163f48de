/**
 * Draws docs/images/reserved-seats.svg from runs of the judge `bench/policy-sim`: the scenario `busy` of its classes, seed 1, with the allocation that ships,
 * once without a reservation and once with one. A class of thirty comes within 90 s; six servers are three quarters full with sessions of others.
 *
 *     npm run build && node dist/bench/draw-reserve.js docs/images/reserved-seats.svg
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { create } from './candidate.ts';

type Context = Parameters<typeof create>[0];
type Policy = ReturnType<typeof create>;
type Simulate = (scenario: object, make: (context: Context) => Policy, seed: number) => { readonly classAtOnce: number };

/** Sessions that run at a time. Seconds. */
interface Sample {
  readonly at: number;
  readonly others: number;
  readonly members: number;
}

interface Run {
  readonly title: string;
  readonly samples: readonly Sample[];
  /** Share of the class that got a seat within seconds. */
  readonly atOnce: number;
}

const SCENARIO = 'busy';
const SEED = 1;
const START = 7200;
const OPENS = 600;
/** Seconds before and after the start that are drawn. */
const AROUND = 3600;

const WIDTH = 860;
const PANEL = 170;
const [LEFT, RIGHT, TOP, GAP] = [52, 24, 70, 62];

const file = process.argv[2];
if (file === undefined)
  throw new Error('name the file to draw, as in: node dist/bench/draw-reserve.js docs/images/reserved-seats.svg');
const judge = join(projectRoot(), 'bench/policy-sim');
const { simulate } = (await import(pathToFileURL(join(judge, 'engine.mjs')).href)) as { readonly simulate: Simulate };
const scenarios = JSON.parse(readFileSync(join(judge, 'classes.json'), 'utf8')) as readonly { readonly name: string }[];
const runs = [runOf('Without a reservation', false), runOf('With thirty reserved seats', true)];
writeFileSync(file, draw(runs));

function runOf(title: string, isReserved: boolean): Run {
  const samples: Sample[] = [{ at: 0, others: 0, members: 0 }];
  const scenario = { ...scenarios.find(({ name }) => name === SCENARIO), counted: true };
  const make = (context: Context) =>
    watched(create(isReserved ? context : { ...context, reservations: [] }), isReserved, samples);
  const { classAtOnce: atOnce } = simulate(scenario, make, SEED);
  return { title, samples, atOnce };
}

/** The policy, with a sample at each session that begins or ends. */
function watched(policy: Policy, isReserved: boolean, samples: Sample[]): Policy {
  const changed = (at: number, { code }: { readonly code?: string }, by: number) => {
    const { others, members } = samples.at(-1) ?? { others: 0, members: 0 };
    samples.push(code === undefined ? { at, others: others + by, members } : { at, others, members: members + by });
  };
  return {
    ...policy,
    reserves: isReserved,
    pick(now, { code, ...request }) {
      return policy.pick(now, isReserved && code !== undefined ? { ...request, code } : request);
    },
    onConnect(server, now, request) {
      changed(now, request, 1);
      policy.onConnect(server, now, request);
    },
    onLeave(server, now, request) {
      changed(now, request, -1);
      policy.onLeave(server, now, request);
    },
  };
}

function draw(all: readonly Run[]): string {
  const height = TOP + all.length * (PANEL + GAP);
  const maximum = Math.max(...all.flatMap(({ samples }) => samples.map(({ others, members }) => others + members)));
  const panels = all.map((run, index) => panel(run, TOP + index * (PANEL + GAP), 10 * Math.ceil(maximum / 10)));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="Sessions of a class and of others around the start of the class, without and with reserved seats">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="${LEFT}" y="24" font-size="15" font-weight="600" fill="#1b2733">A class of thirty starts while six servers are three quarters full</text>
<text x="${LEFT}" y="44" fill="#4a7fb5">▮ sessions of others</text><text x="${LEFT + 150}" y="44" fill="#0b776d">▮ sessions of the class</text>
${panels.join('\n')}
</svg>
`;
}

function panel({ title, samples, atOnce }: Run, top: number, maximum: number): string {
  const bottom = top + PANEL;
  const x = (at: number) => LEFT + ((at - START + AROUND) / (2 * AROUND)) * (WIDTH - LEFT - RIGHT);
  const y = (count: number) => bottom - (count / maximum) * PANEL;
  const shown = everyMinute(samples);
  const area = (top: (sample: Sample) => number, base: (sample: Sample) => number) =>
    [...shown.map((one) => [one.at, top(one)] as const), ...shown.toReversed().map((one) => [one.at, base(one)] as const)]
      .map(([at, count]) => `${x(at).toFixed(1)},${y(count).toFixed(1)}`)
      .join(' ');
  const others = area(
    (one) => one.others,
    () => 0,
  );
  const members = area(
    (one) => one.others + one.members,
    (one) => one.others,
  );
  const grid = [0, maximum / 2, maximum].map(
    (count) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(count)}" y2="${y(count)}" stroke="#e3e8ee"/><text x="${LEFT - 8}" y="${y(count) + 4}" text-anchor="end" fill="#5b6b7b">${count}</text>`,
  );
  const times = [-60, -40, -20, 0, 20, 40, 60].map(
    (minutes) =>
      `<text x="${x(START + minutes * 60)}" y="${bottom + 20}" text-anchor="middle" fill="#5b6b7b">${minutes === 0 ? 'start' : `${minutes} min`}</text>`,
  );
  const mark = (at: number) =>
    `<line x1="${x(at)}" x2="${x(at)}" y1="${top}" y2="${bottom}" stroke="#5b6b7b" stroke-dasharray="4 4"/>`;
  return `<g>
<text x="${LEFT}" y="${top - 8}" font-weight="600" fill="#1b2733">${title}: ${Math.round(100 * atOnce)} % of the class starts at once</text>
${grid.join('')}
<polygon points="${others}" fill="#9cc4f2"/>
<polygon points="${members}" fill="#0b776d" fill-opacity="0.75"/>
${mark(START - OPENS)}<text x="${x(START - OPENS) - 6}" y="${top + 14}" text-anchor="end" fill="#5b6b7b">doors open</text>${mark(START)}
${times.join('')}
</g>`;
}

/** What ran at the beginning of each minute. */
function everyMinute(samples: readonly Sample[]): readonly Sample[] {
  return Array.from({ length: (2 * AROUND) / 60 + 1 }, (_, minute) => {
    const at = START - AROUND + 60 * minute;
    return { others: 0, members: 0, ...samples.findLast((sample) => sample.at <= at), at };
  });
}

/** It is two folders above the built file and one above the source. */
function projectRoot(): string {
  let path = import.meta.dirname;
  while (!existsSync(join(path, 'package.json'))) path = dirname(path);
  return path;
}
