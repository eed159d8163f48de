import { FakeSimulationServer } from './fake-simulation-server.ts';
import type { Scope } from './start-program.ts';

/** A simulation server for the time of a test; `load` as in `FakeSimulationServer.start`. */
export async function startSimulationServer(
  scope: Scope,
  ...options: Parameters<typeof FakeSimulationServer.start>
): Promise<FakeSimulationServer> {
  const server = await FakeSimulationServer.start(...options);
  scope.after(() => server.stop());
  return server;
}

/** Several at once, by their loads. */
export async function startSimulationServers(scope: Scope, loads: readonly number[]): Promise<FakeSimulationServer[]> {
  return Promise.all(loads.map((load) => startSimulationServer(scope, load)));
}
