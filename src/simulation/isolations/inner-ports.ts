/** TCP ports for simulators on this machine, free now and given to one session at a time. */
import { createServer, type AddressInfo } from 'node:net';

export class InnerPorts {
  readonly #used = new Set<number>();

  async take(): Promise<number> {
    for (;;) {
      const port = await anyFree();
      if (this.#used.has(port)) continue;
      this.#used.add(port);
      return port;
    }
  }

  giveBack(port: number): void {
    this.#used.delete(port);
  }
}

/** Free at every address, because simulators listen on all of them. */
async function anyFree(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
