/** A real Redis on a socket in a temporary folder, without persistence. Needs Debian's package `redis-server`: `npm run test:system`. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually.ts';
import { temporary, type Scope } from './start-program.ts';

const PROGRAM = '/usr/bin/redis-server';

export class RedisServer {
  readonly folder: string;
  readonly path: string;
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(folder: string, options: readonly string[]) {
    this.folder = folder;
    this.path = join(folder, 'redis.sock');
    this.#options = options;
  }

  static async start(scope: Scope, options: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(temporary(scope), options);
    scope.after(() => server.kill());
    await server.run();
    return server;
  }

  get url(): string {
    return `unix:${this.path}`;
  }

  /** Starts it again, with nothing in it. */
  async run(): Promise<void> {
    const own = ['--port', '0', '--unixsocket', this.path, '--dir', this.folder, '--save', '', '--appendonly', 'no'];
    // A Sentinel is configured by a file, which it writes.
    const isSentinel = this.#options.includes('--sentinel');
    const child = spawn(PROGRAM, isSentinel ? [...this.#options] : [...own, ...this.#options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    this.#process = child;
    await eventually('Redis', () => /ready to accept connections|Sentinel ID is/.test(text));
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return;
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }

  async command(...words: readonly [string, ...string[]]): Promise<unknown> {
    const redis = new Redis(this.path);
    try {
      return await redis.call(words[0], ...words.slice(1));
    } finally {
      redis.disconnect();
    }
  }
}
