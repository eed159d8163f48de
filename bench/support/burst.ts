/**
 * A class of students in a real session server: 200 requests in 10 s to forty simulation servers at loads of 20 to 60%, each session adding 8 points after 8
 * to 20 s. What the sessions do to the servers is played by the fake servers.
 */
import { note, standardDeviation, tell, title } from './figures.ts';
import { pause } from './pause.ts';
import { startProgram, type Program } from './program.ts';
import { getOnce } from './requests.ts';
import { startSimulationServers, type SimulationServers } from './simulation-servers.ts';

const SERVERS = 40;
const REQUESTS = 200;
const WITHIN = 10;
const POINTS = 8;
const SHOWS_AFTER = [8, 20] as const;
const OVERLOADED = 95;

export interface BurstOptions {
  /** The servers report their sessions in headers of `/load`, as those of this project do. */
  readonly reportsSessions: boolean;
  /** The highest standard deviation of the loads at the end that is good enough. */
  readonly spread: number;
}

export async function burst({ reportsSessions, spread }: BurstOptions): Promise<void> {
  const which = reportsSessions ? 'that report their sessions, ' : '';
  title(`${REQUESTS} requests in ${WITHIN} s on ${SERVERS} simulation servers ${which}at loads of 20 to 60%`);
  const loads = Array.from({ length: SERVERS }, (_, index) => 20 + (40 * ((index * 17) % SERVERS)) / (SERVERS - 1));
  await withFleet({ loads, reportsSessions }, async ({ port }, fleet) => {
    const sent = Array<number>(SERVERS).fill(0);
    const requests = Array.from({ length: REQUESTS }, async () => {
      await pause(Math.random() * WITHIN);
      const url = await getOnce(port, '/session');
      const index = fleet.addresses.findIndex((address) => url === `ws://${address}`);
      if (index < 0) return false;
      sent[index] = (sent[index] ?? 0) + 1;
      await fleet.begin(index, POINTS, SHOWS_AFTER[0] + Math.random() * (SHOWS_AFTER[1] - SHOWS_AFTER[0]));
      return true;
    });
    const served = (await Promise.all(requests)).filter(Boolean).length;
    await pause(SHOWS_AFTER[1] + 1);
    const { loads: final, highest } = await fleet.statistics();
    const overloaded = highest.map((load) => load > OVERLOADED);
    note(
      `${served} of ${REQUESTS} were handed a server; loads at the end ${Math.min(...final).toFixed(0)} to ${Math.max(...final).toFixed(0)}%`,
    );
    // The original sends each to the server with the least reported load until the next poll: as many as come in 5 s on one server.
    const herd = (REQUESTS / WITHIN) * 5 * POINTS + 20;
    tell({
      what: 'highest load of a server',
      value: Math.max(...highest),
      unit: '%',
      goal: { atMost: OVERLOADED },
      comparedTo: { what: 'what reports alone bring to one server', value: herd },
    });
    tell({
      what: 'sessions on an overloaded server',
      value: sent.reduce((sum, sessions, index) => sum + (overloaded[index] === true ? sessions : 0), 0),
      unit: 'sessions',
      goal: { atMost: 0 },
    });
    tell({
      what: 'standard deviation of the loads at the end',
      value: standardDeviation(final),
      unit: 'points',
      goal: { atMost: spread },
      comparedTo: { what: 'that before', value: standardDeviation(loads) },
    });
    tell({ what: 'requests that were handed a server', value: served, unit: 'requests', goal: { atLeast: REQUESTS } });
  });
}

/** A session server, with a fleet that has reported once. */
export async function withFleet(
  { loads, reportsSessions = false }: { readonly loads: readonly number[]; readonly reportsSessions?: boolean },
  measure: (program: Program, fleet: SimulationServers) => Promise<void>,
): Promise<void> {
  const fleet = await startSimulationServers({ count: loads.length, loads, reportsSessions });
  try {
    const program = await startProgram({ simulationServers: [...fleet.addresses] });
    try {
      await pause(3);
      await measure(program, fleet);
    } finally {
      await program.stop();
    }
  } finally {
    await fleet.kill();
  }
}
