/**
 * The systemd unit of a simulation server. It runs as a user of its own, not as root. systemd delegates the unit's cgroup to it, so that it can limit and end
 * each session. However it ends, systemd ends all that it started, and the unit then sweeps what is left.
 */
import { renderFile } from '../template.ts';
import type { PlannedFile } from './files.ts';
import { argument } from './systemd-unit.ts';

export interface SimulationUnitOptions {
  /** Absolute path of Node. */
  readonly node: string;
  /** Absolute path of `bin/session-server.mjs`. */
  readonly program: string;
  /** Absolute path of the configuration file. */
  readonly configuration: string;
  /** Sessions run in Docker containers. */
  readonly docker: boolean;
  /** Groups of this machine that give access to GPUs and Docker. systemd does not start a unit with a group that does not exist. */
  readonly groups: readonly string[];
}

export function simulationUnit({ node, program, configuration, docker, groups }: SimulationUnitOptions): string {
  return renderFile('simulation-server.service', {
    ...{ node: argument(node), program: argument(program), configuration: argument(configuration) },
    ...{ docker: docker ? ' docker.service' : '', groups: groups.map((group) => ({ group })) },
  });
}

export interface SimulationAnswers {
  readonly server: string;
  readonly docker: boolean;
  /** Where it announces itself, such as the `/register/TOKEN` of a session server. */
  readonly notify?: string;
}

/** A configuration to begin with. */
export function simulationConfiguration({ server, docker, notify }: SimulationAnswers): string {
  const configuration = {
    ...{ server, docker, allowedRepositories: ['https://github.com/cyberbotics'] },
    ...{ logDir: '/var/log/simulation-server', stateDir: '/var/lib/simulation-server' },
    ...(notify !== undefined && { notify }),
  };
  return `${JSON.stringify(configuration, undefined, 2)}\n`;
}

export interface SimulationPaths {
  readonly configuration: string;
  readonly unit: string;
}

export function simulationFiles(
  answers: SimulationAnswers,
  { configuration, unit }: SimulationPaths,
  program: Pick<SimulationUnitOptions, 'node' | 'program' | 'groups'>,
): readonly PlannedFile[] {
  return [
    { path: configuration, text: simulationConfiguration(answers), mode: 0o644 },
    { path: unit, text: simulationUnit({ ...program, configuration, docker: answers.docker }), mode: 0o644 },
  ];
}
