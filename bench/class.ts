/**
 * A class of students: the burst of `support/burst.ts`, thirty requests at once to three idle servers, and what seats that are being gathered cost every
 * other request. About two minutes; ends by itself.
 */
import { hashOf } from '../src/config/token.ts';
import { burst, withFleet } from './support/burst.ts';
import { note, quantile, tell, title } from './support/figures.ts';
import { pause } from './support/pause.ts';
import { startProgram } from './support/program.ts';
import { getOnce, makeRequests } from './support/requests.ts';
import { startSimulationServers } from './support/simulation-servers.ts';

const TOKEN = 'sst_bench';
const SERVERS = 1000;
/** Seconds after the start until each server was polled twice. */
const SETTLE = 12;
/** Phases without and with a class take turns, so that what else the machine does falls on both. */
const PHASES = 4;
const SECONDS = 5;
const WARM_UP = 8;
/** Requests a second. */
const PACE = 400;

const [row] = process.argv.slice(2);
if (row === undefined || row === 'together') await together();
if (row === undefined || row === 'burst') await burst({ reportsSessions: false, spread: 5 });
if (row === undefined || row === 'gathering') await gathering();

async function together(): Promise<void> {
  title('Thirty requests at once on three equal idle simulation servers');
  await withFleet({ loads: [0, 0, 0] }, async ({ port }, { addresses }) => {
    const urls = await Promise.all(Array.from({ length: 30 }, () => getOnce(port, '/session')));
    const counts = addresses.map((address) => urls.filter((url) => url === `ws://${address}`).length);
    note(`handed out: ${counts.join(' / ')}`);
    tell({ what: 'most sessions on one server', value: Math.max(...counts), unit: 'sessions', goal: { atMost: 10 } });
    tell({ what: 'least sessions on one server', value: Math.min(...counts), unit: 'sessions', goal: { atLeast: 10 } });
  });
}

async function gathering(): Promise<void> {
  title(`GET /session with ${SERVERS} simulation servers, while the seats of a class are gathered`);
  const fleet = await startSimulationServers({ count: SERVERS, loads: [10, 20, 30] });
  try {
    const program = await startProgram({
      simulationServers: [...fleet.addresses],
      // Sessions so light that the fleet never fills up.
      allocation: { target: 200, cost: 0.3, learning: false, settle: [0, 1], suspectAfter: 1000 },
      admin: { tokens: [{ name: 'bench', hash: hashOf(TOKEN) }] },
    });
    try {
      await pause(SETTLE);
      await measureGathering(program.port);
    } finally {
      await program.stop();
    }
  } finally {
    await fleet.kill();
  }
}

async function measureGathering(port: number): Promise<void> {
  const requests = async (seconds: number) =>
    (await makeRequests({ port, path: '/session', connections: 32, seconds, pace: PACE })).latencies;
  const [without, during]: [number[], number[]] = [[], []];
  await requests(WARM_UP);
  for (let phase = 0; phase < PHASES; phase += 1) {
    without.push(...(await requests(SECONDS)));
    const id = await reserve(port);
    during.push(...(await requests(SECONDS)));
    await api(port, 'DELETE', `/${id}`);
  }
  for (const share of [0.5, 0.99])
    note(`${100 * share} %: ${quantile(without, share).toFixed(3)} ms without, ${quantile(during, share).toFixed(3)} ms with`);
  const more = quantile(during, 0.99) - quantile(without, 0.99);
  tell({ what: 'p99 while seats are gathered, above the p99 without', value: more, unit: 'ms', goal: { atMost: 0.1 } });
}

/** A class that begins in twenty minutes. Returns its identity. */
async function reserve(port: number): Promise<string> {
  const made = await api(port, 'POST', '', { seats: 300, start: Date.now() / 1000 + 1200, minutes: 60 });
  if (typeof made?.id !== 'string' || made.state !== 'gathering') throw new Error(`not gathering: ${JSON.stringify(made)}`);
  return made.id;
}

async function api(port: number, method: string, path: string, body?: object): Promise<Record<string, unknown> | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/reservations${path}`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return response.status === 204 ? undefined : ((await response.json()) as Record<string, unknown>);
}
