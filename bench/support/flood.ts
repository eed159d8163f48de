/** Requests from one address as fast as they are answered, from a process of its own. */
import { startChild } from './child.ts';

export interface FloodOrder {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly path: string;
  /** As the reverse proxy reports it. */
  readonly address: string;
}

export interface FloodResult {
  readonly answers: number;
  readonly allocated: number;
}

export interface Flood {
  run(order: FloodOrder): Promise<FloodResult>;
  kill(): Promise<void>;
}

export async function startFlood(): Promise<Flood> {
  const child = await startChild<FloodOrder, FloodResult>('flood-process');
  return { run: (order) => child.ask(order), kill: () => child.kill() };
}
