/** Reads a configuration file of the simulation server: settings, or every problem at once. Nothing here throws, whatever the file holds. */
import { resolve } from 'node:path';
import { isObject, publishedJsonSchema, rootOf } from '../../config/keys.ts';
import { MAX_FILE_BYTES, parse, unreadable } from '../../config/load.ts';
import { atMost, showValue, type Problem } from '../../config/problem.ts';
import { programOf } from '../../config/program.ts';
import { thisMachine, unsetVariables, type Environment } from '../../config/environment.ts';
import { removeUnknownKeys } from '../../config/unknown-keys.ts';
import { problemsOf } from '../../config/validate.ts';
import { schema, type Configuration } from './schema.ts';
import { toSimulationSettings, type SimulationSettings } from './settings.ts';

export type SimulationLoadResult =
  | {
      readonly kind: 'loaded';
      /** Absolute path of the file. */
      readonly path: string;
      readonly settings: SimulationSettings;
      readonly warnings: readonly Problem[];
    }
  | {
      readonly kind: 'refused';
      readonly path: string;
      readonly problems: readonly Problem[];
      readonly warnings: readonly Problem[];
    };

const root = rootOf(schema);
const MAX_PROBLEMS = 1000;
const MAX_WARNINGS = 200;

export async function loadSimulationConfiguration(
  path: string,
  overrides: Partial<Environment> = {},
): Promise<SimulationLoadResult> {
  const environment = { ...thisMachine(), ...overrides };
  const absolute = resolve(environment.cwd, path);
  const read = await environment.readFile(absolute, MAX_FILE_BYTES);
  if (read.kind !== 'content') return refused(absolute, [unreadable(path, read)]);
  const parsed = parse(path, read.bytes);
  if (parsed.kind === 'problem') return refused(absolute, [parsed.problem]);
  if (!isObject(parsed.value)) return refused(absolute, [notAnObject(parsed.value)]);
  if (programOf(parsed.value) === 'session') return refused(absolute, [ofSessionServer(path)]);
  const { known, warnings: unknown } = removeUnknownKeys(parsed.value, root);
  const warnings = [...parsed.warnings, ...unknown];
  const result = schema.safeParse(known);
  if (!result.success) {
    const found = result.error.issues.flatMap((issue) => problemsOf(issue, [], known, root));
    // The first thing that is said about a value is the cause.
    const problems = new Map(found.reverse().map((problem) => [problem.key, problem]));
    return refused(absolute, [...problems.values()].reverse(), warnings);
  }
  const { data } = result;
  const problems = contradictions(data);
  if (problems.length > 0) return refused(absolute, problems, warnings);
  const settings = toSimulationSettings(data, environment);
  const allWarnings = [...warnings, ...advice(data, known, environment)];
  return { kind: 'loaded', path: absolute, settings, warnings: atMost(allWarnings, MAX_WARNINGS) };
}

/** For editors, and for `session-server schema --simulation`. */
export function simulationJsonSchema(): ReturnType<typeof publishedJsonSchema> {
  return publishedJsonSchema(schema, 'simulation server');
}

function contradictions({ port, maxConnections, simulator, simulators }: Configuration): Problem[] {
  const problems: Problem[] = [];
  if (port + maxConnections > 65_535)
    problems.push({
      key: 'maxConnections',
      value: String(maxConnections),
      expected: `at most ${65_535 - port}, because sessions get the ports above ${port}`,
      fix: 'lower it, or lower "port"',
    });
  if (simulator === 'command' && simulators.command === undefined)
    problems.push({
      key: 'simulators.command',
      value: 'missing',
      expected: 'the program to run, because "simulator" is "command"',
      fix: 'add "simulators": {"command": {"argv": ["/path/to/program", "{world}"]}}',
    });
  return problems;
}

/** Nothing of it stops the program. */
function advice(data: Configuration, file: Readonly<Record<string, unknown>>, { env }: Environment): Problem[] {
  const problems: Problem[] = [];
  if (file['server'] === undefined)
    problems.push({
      key: 'server',
      value: 'missing',
      expected: 'the name by which clients reach this machine',
      fix: 'add it; until then clients are sent to "localhost"',
    });
  if (data.timeout < 360)
    problems.push({
      key: 'timeout',
      value: String(data.timeout),
      expected: 'at least 360, because clients warn five minutes before the end',
      fix: '7200 is used, as in the original; for a shorter time write "limits": {"time": …}',
    });
  if (data.docker && !['auto', 'docker', 'podman'].includes(data.isolation.use))
    problems.push({
      key: 'isolation.use',
      value: showValue(data.isolation.use),
      expected: '"auto", "docker" or "podman", because "docker" is true',
      fix: 'it is used; remove "docker", or change it',
    });
  for (const key of ['logDir', 'stateDir', 'webotsHome'] as const)
    for (const name of unsetVariables(data[key] ?? '', env))
      problems.push({
        key,
        value: showValue(data[key]),
        expected: 'environment variables that are set',
        fix: `set ${name}; it stays in the path as it is`,
      });
  return problems;
}

function refused(path: string, problems: readonly Problem[], warnings: readonly Problem[] = []): SimulationLoadResult {
  return { kind: 'refused', path, problems: atMost(problems, MAX_PROBLEMS), warnings: atMost(warnings, MAX_WARNINGS) };
}

function ofSessionServer(path: string): Problem {
  return {
    key: path,
    value: 'the configuration of a session server, with "simulationServers"',
    expected: 'the configuration of a simulation server',
    fix: `start it with: session-server start ${JSON.stringify(path)}`,
  };
}

function notAnObject(value: unknown): Problem {
  return {
    key: 'the whole file',
    value: showValue(value),
    expected: 'an object in braces',
    fix: 'put braces around the keys, as in {"server": "localhost"}',
  };
}
