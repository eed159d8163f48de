/** One entry of `simulationServers` on its own, as it is added to a running fleet. */
import type { ReadServer } from '../core/fleet/simulation-server.ts';
import { formatProblem, type Problem } from './problem.ts';
import { simulationServerSettings } from './settings.ts';
import { validate } from './validate.ts';

/** `entry` is of any type. A refusal names every problem of it, in one line. Never throws. */
export function readSimulationServer(entry: unknown): ReadServer {
  const { configuration, problems, warnings } = validate({ simulationServers: [entry] });
  const [server] = (configuration?.simulationServers ?? []).flatMap(simulationServerSettings);
  if (server !== undefined && warnings.length === 0) return { kind: 'server', server };
  return { kind: 'refused', reason: [...problems, ...warnings].map(inEntry).map(formatProblem).join('; ') };
}

/** A client that sent one server does not know of a list in a configuration. */
function inEntry(problem: Problem): Problem {
  const { key, value, fix } = problem;
  return {
    ...problem,
    key: key.replace(/^simulationServers\[0\]\.?/, '') || 'the server',
    // In a file the key is ignored; here the whole server is rejected.
    value: value.replace(/^unknown key, ignored$/, 'unknown key'),
    fix: fix.replace('simulationServers[0].', ''),
  };
}
