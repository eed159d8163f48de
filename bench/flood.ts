/**
 * One address asks as fast as it is answered, on many connections, for sessions and for what costs more to answer; others ask for sessions now and then. What
 * the flood does to the others: whether they are served, and how long they wait. Addresses by `X-Forwarded-For`, as from a reverse proxy on the same machine. A
 * minute; ends by itself.
 */
import { note, quantile, tell, title } from './support/figures.ts';
import { pause } from './support/pause.ts';
import { startFlood } from './support/flood.ts';
import { startProgram } from './support/program.ts';
import { makeRequests } from './support/requests.ts';
import { startSimulationServers } from './support/simulation-servers.ts';

const CONNECTIONS = 64;
const SECONDS = 8;
/** Of the others together; each of their addresses asks once. */
const PER_SECOND = 50;
/** What every client may read and what costs more than a session. */
const READINGS = ['/api/v1/explain?url=https://github.com/owner/name', '/api/v1/servers'] as const;

title(`A flood of requests from one address, on ${CONNECTIONS} connections`);
const fleet = await startSimulationServers({ count: 100, loads: [10, 20, 30] });
const program = await startProgram({ simulationServers: [...fleet.addresses] });
const flood = await startFlood();
try {
  await pause(3);
  let address = 0;
  const others = async () => {
    let refused = 0;
    const { latencies } = await makeRequests({
      ...{ port: program.port, path: '/session', connections: 10, seconds: SECONDS, pace: PER_SECOND },
      headers: () => `X-Forwarded-For: 203.0.${(address += 1) >> 8}.${address & 255}\r\n`,
      answered: (body) => {
        if (body.startsWith('Error: too many')) refused += 1;
      },
    });
    return { latencies, refused };
  };
  await others();
  const quiet = await others();
  const before = program.usage().cpu;
  const running = flood.run({
    port: program.port,
    path: '/session',
    connections: CONNECTIONS,
    seconds: SECONDS + 1,
    address: '198.51.100.7',
  });
  const during = await others();
  const { answers, allocated } = await running;
  const cpu = program.usage().cpu - before;
  note(`the flood: ${answers} requests, ${allocated} of them allocated (its burst is 100, then 1 a second)`);
  tell({ what: 'CPU of a request of the flood and its refusal', value: (cpu / answers) * 1e6, unit: 'µs' });
  note(
    `p99 of the others ${quantile(quiet.latencies, 0.99).toFixed(2)} ms without the flood, median ${quantile(during.latencies, 0.5).toFixed(2)} ms in it`,
  );
  tell({
    what: 'p99 of the others during the flood',
    value: quantile(during.latencies, 0.99),
    unit: 'ms',
    goal: { atMost: 20 },
    comparedTo: { what: 'that without it', value: quantile(quiet.latencies, 0.99) },
  });
  tell({ what: 'others that were refused because of it', value: during.refused, unit: 'requests', goal: { atMost: 0 } });
  for (const path of READINGS) {
    const running = flood.run({
      port: program.port,
      path,
      connections: CONNECTIONS,
      seconds: SECONDS + 1,
      address: '198.51.100.8',
    });
    const during = await others();
    const { answers } = await running;
    note(`a flood of ${answers} requests of ${path}: median of the others ${quantile(during.latencies, 0.5).toFixed(2)} ms`);
    tell({
      what: `p99 of the others during a flood of ${path}`,
      value: quantile(during.latencies, 0.99),
      unit: 'ms',
      goal: { atMost: 20 },
    });
  }
  tell({ what: 'hand-outs to the flood', value: allocated, unit: 'sessions', goal: { atMost: 100 + SECONDS + 2 } });
} finally {
  await flood.kill();
  await program.stop();
  await fleet.kill();
}
