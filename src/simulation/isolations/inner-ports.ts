/** TCP ports for simulators on this machine, free now and given to one session at a time. */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';

const HIGHEST = 65_535;
/** Ports that are enough to find a free one among at random. */
const MIN_CHOICE = 1000;

export class InnerPorts {
  readonly #used = new Set<number>();
  readonly #candidate: () => number;

  constructor(candidate = candidateAbove(lastEphemeral())) {
    this.#candidate = candidate;
  }

  async take(): Promise<number> {
    for (;;) {
      const port = await listenedOn(this.#candidate());
      if (port === undefined || this.#used.has(port)) continue;
      this.#used.add(port);
      return port;
    }
  }

  giveBack(port: number): void {
    this.#used.delete(port);
  }
}

/**
 * The system gives its own ports to connections that programs open, also in the moment between this choice and the start of the simulator. Above them no program
 * gets a port that it did not ask for. 0: any port of the system.
 */
export function candidateAbove(last: number): () => number {
  return () => (HIGHEST - last >= MIN_CHOICE ? randomInt(last + 1, HIGHEST + 1) : 0);
}

function lastEphemeral(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1').trim().split(/\s+/)[1]);
  } catch {
    return HIGHEST;
  }
}

/** At every address, because simulators listen on all of them; `undefined`: it is taken. */
async function listenedOn(candidate: number): Promise<number | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(candidate, resolve);
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
