/** A fleet of fake simulation servers in a process of its own, each on a loopback address of its own (127.x.y.z), all on one port. */
import { startChild, type Child } from './child.ts';

export interface SimulationServersOptions {
  readonly count: number;
  /** Percent each reports to begin with, over and over again for the rest; default 20. */
  readonly loads?: readonly number[];
  /** 0, the default: any free one. */
  readonly port?: number;
  /** They report their sessions in headers of `/load`, as the simulation servers of this project do. */
  readonly reportsSessions?: boolean;
}

export interface SimulationServers {
  /** As written in `simulationServers`. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly pid: number;
  /** These take requests and never answer them; all others answer. */
  hang(indexes: readonly number[]): Promise<void>;
  /** All of them report this from now on, percent. */
  report(load: number): Promise<void>;
  /** A session begins on one of them: its load rises by `points` after `after` seconds. */
  begin(index: number, points: number, after: number): Promise<void>;
  statistics(): Promise<FleetStatistics>;
  /** Counts begin again at 0. */
  reset(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

export interface FleetStatistics {
  /** Requests of `/load`, of all servers together. */
  readonly requests: number;
  /** Requests of the server that had least. */
  readonly least: number;
  /** Longest time between two requests of one server, or from the last until now, seconds. */
  readonly longestGap: number;
  /** Requests of `/load`, and connections that are open now, of each. */
  readonly polls: readonly number[];
  readonly connections: readonly number[];
  /** Percent each has now, and the most each ever had. */
  readonly loads: readonly number[];
  readonly highest: readonly number[];
}

export type FleetOrder =
  | { readonly kind: 'hang'; readonly indexes: readonly number[] }
  | { readonly kind: 'report'; readonly load: number }
  | { readonly kind: 'begin'; readonly index: number; readonly points: number; readonly after: number }
  | { readonly kind: 'statistics' }
  | { readonly kind: 'reset' };
export type FleetAnswer = { readonly port: number; readonly statistics?: FleetStatistics };

export async function startSimulationServers({
  count,
  loads = [20],
  port = 0,
  reportsSessions = false,
}: SimulationServersOptions): Promise<SimulationServers> {
  const child: Child<FleetOrder, FleetAnswer> = await startChild('simulation-servers-process', [
    JSON.stringify({ count, loads, port, reportsSessions }),
  ]);
  const { port: listening } = await child.ask({ kind: 'reset' });
  const order = async (content: FleetOrder) => {
    await child.ask(content);
  };
  return {
    addresses: Array.from({ length: count }, (_, index) => `${hostOf(index)}:${listening}`),
    port: listening,
    pid: child.pid,
    hang: (indexes) => order({ kind: 'hang', indexes }),
    report: (load) => order({ kind: 'report', load }),
    begin: (index, points, after) => order({ kind: 'begin', index, points, after }),
    reset: () => order({ kind: 'reset' }),
    async statistics() {
      const { statistics } = await child.ask({ kind: 'statistics' });
      if (statistics === undefined) throw new Error('the fake simulation servers do not report their statistics');
      return statistics;
    },
    kill: () => child.kill(),
  };
}

/** 127.1.0.1 and on. */
export function hostOf(index: number): string {
  return `127.${1 + Math.floor(index / 64_000)}.${Math.floor((index % 64_000) / 250)}.${1 + (index % 250)}`;
}
