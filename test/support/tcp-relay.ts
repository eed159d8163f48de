/** A TCP relay on a free port, such as between a replica and its store: it delays, stalls and cuts what goes through it. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scope } from './start-program.ts';

export class TcpRelay {
  /** Milliseconds that each piece takes on its way back. */
  delay = 0;
  /** Nothing goes through, and connections stay open. */
  stalls = false;
  readonly #server = createServer((client) => {
    this.#relay(client);
  });
  readonly #target: string;
  readonly #sockets = new Set<Socket>();

  private constructor(target: string) {
    this.#target = target;
  }

  /** `target`: path of a Unix socket. */
  static async start(scope: Scope, target: string): Promise<TcpRelay> {
    const relay = new TcpRelay(target);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    scope.after(async () => {
      const closed = new Promise((resolve) => relay.#server.close(resolve));
      relay.cut();
      await closed;
    });
    return relay;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}/0`;
  }

  /** Breaks all connections. New ones are accepted. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #relay(client: Socket): void {
    const target = connect(this.#target);
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      this.#sockets.add(from);
      let sent = Promise.resolve();
      from.on('data', (bytes: Buffer) => {
        if (this.stalls) return;
        sent = sent.then(() => delay(from === target ? this.delay : 0)).then(() => void to.write(bytes));
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
