/**
 * Draws docs/images/allocation.svg from a real run: the program, three simulation servers on real sockets at loads 10, 30 and 50, and a class of eighteen that presses
 * start within twelve seconds; each session adds six points 15 to 25 s after it was handed out.
 *
 *     npm run build && node dist/bench/draw-class.js docs/images/allocation.svg
 */
import { writeFileSync } from 'node:fs';
import type { ServerView } from '../src/core/views/monitor-view.ts';
import { pause } from './support/pause.ts';
import { startProgram } from './support/program.ts';
import { getOnce } from './support/requests.ts';
import { startSimulationServers } from './support/simulation-servers.ts';

interface Sample {
  /** Seconds since the class began. */
  readonly at: number;
  readonly load: number;
  readonly predicted: number;
}

interface Course {
  readonly name: string;
  readonly samples: Sample[];
  readonly handOuts: number[];
}

const LOADS = [10, 30, 50];
const STUDENTS = 18;
const CLASS = 12;
const POINTS = 6;
const BEFORE = 6;
const LASTS = 75;

const WIDTH = 860;
const PANEL = 150;
const LEFT = 60;
const RIGHT = 130;
const TOP = 46;

const file = process.argv[2];
if (file === undefined) throw new Error('name the file to draw, as in: node dist/bench/draw-class.js docs/images/allocation.svg');
writeFileSync(file, draw(await run()));

async function run(): Promise<Course[]> {
  const fleet = await startSimulationServers({ count: LOADS.length, loads: LOADS });
  const program = await startProgram({ simulationServers: [...fleet.addresses], pollInterval: 2, pollTimeout: 1.5 });
  const courses = fleet.addresses.map((_, index): Course => ({
    name: `server ${'ABC'[index] ?? ''}`,
    samples: [],
    handOuts: [],
  }));
  try {
    await pause(4);
    const began = performance.now() / 1000 + BEFORE;
    const now = () => performance.now() / 1000 - began;
    let asked = 0;
    while (now() < LASTS) {
      for (; asked < STUDENTS && now() >= (asked * CLASS) / STUDENTS; asked += 1) {
        const index = fleet.addresses.indexOf((await getOnce(program.port, '/session')).replace('ws://', ''));
        courses[index]?.handOuts.push(now());
        if (index >= 0) await fleet.begin(index, POINTS, 15 + ((asked * 7) % 11));
      }
      const { servers } = JSON.parse(await getOnce(program.port, '/api/v1/servers')) as { servers: readonly ServerView[] };
      const at = now();
      servers.forEach(({ load, predicted }, index) =>
        courses[index]?.samples.push({ at, load: load ?? 0, predicted: predicted ?? 0 }),
      );
      await pause(0.25);
    }
  } finally {
    await program.stop();
    await fleet.kill();
  }
  return courses;
}

function draw(courses: readonly Course[]): string {
  const height = TOP + courses.length * (PANEL + 34) + 16;
  const x = (at: number) => LEFT + ((at + BEFORE) / (LASTS + BEFORE)) * (WIDTH - LEFT - RIGHT);
  const panels = courses.map((course, index) => panel(course, TOP + index * (PANEL + 34), x));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="Reported and predicted load of three simulation servers while a class starts">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="${LEFT}" y="24" font-size="15" font-weight="600" fill="#1b2733">A class of ${STUDENTS} presses start within ${CLASS} s; each session shows in the load 15 to 25 s later</text>
${panels.join('\n')}
</svg>
`;
}

function panel({ name, samples, handOuts }: Course, top: number, x: (at: number) => number): string {
  const bottom = top + PANEL;
  const y = (load: number) => bottom - (load / 100) * PANEL;
  const line = (read: (sample: Sample) => number) =>
    samples.map((sample) => `${x(sample.at).toFixed(1)},${y(read(sample)).toFixed(1)}`).join(' ');
  const last = samples.at(-1) ?? { at: LASTS, load: 0, predicted: 0 };
  const area = `${x(samples[0]?.at ?? 0).toFixed(1)},${bottom} ${line(({ load }) => load)} ${x(last.at).toFixed(1)},${bottom}`;
  const grid = [0, 50, 100].map(
    (load) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(load)}" y2="${y(load)}" stroke="#e3e8ee"/><text x="${LEFT - 8}" y="${y(load) + 4}" text-anchor="end" fill="#5b6b7b">${load}%</text>`,
  );
  const marks = handOuts.map((at) => `<path d="M${x(at).toFixed(1)} ${bottom + 3}l4 8h-8z" fill="#b4540a"/>`);
  const times = [0, 15, 30, 45, 60, 75].map(
    (at) => `<text x="${x(at)}" y="${bottom + 26}" text-anchor="middle" fill="#5b6b7b">${at} s</text>`,
  );
  return `<g>
${grid.join('')}
<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(90)}" y2="${y(90)}" stroke="#b42318" stroke-dasharray="5 4"/>
<polygon points="${area}" fill="#9cc4f2" fill-opacity="0.7"/>
<polyline points="${line(({ predicted }) => predicted)}" fill="none" stroke="#0b4f9e" stroke-width="2"/>
${marks.join('')}${times.join('')}
<text x="${WIDTH - RIGHT + 10}" y="${top + 14}" font-weight="600" fill="#1b2733">${name}</text>
<text x="${WIDTH - RIGHT + 10}" y="${top + 34}" fill="#0b4f9e">— predicted</text>
<text x="${WIDTH - RIGHT + 10}" y="${top + 52}" fill="#4a7fb5">▮ reported</text>
<text x="${WIDTH - RIGHT + 10}" y="${top + 70}" fill="#b42318">- - target 90%</text>
<text x="${WIDTH - RIGHT + 10}" y="${top + 88}" fill="#b4540a">▲ ${handOuts.length} handed out</text>
</g>`;
}
