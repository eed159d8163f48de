/** The simulation server of the build, as a process of its own, with a repository on this machine and a program that stands for Webots. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { GitRepository, WORLD } from './git-repository.ts';
import { SocketClient } from './socket-client.ts';
import { startChild, temporary, type Child, type Ended, type Scope } from './start-program.ts';

export interface SimulationServerOptions {
  /** What differs from that of tests; may depend on the folder. */
  readonly configuration?: Readonly<Record<string, unknown>> | ((folder: string) => Readonly<Record<string, unknown>>);
  /** A folder that outlives this run. */
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** As for `startChild`. */
  readonly before?: string;
}

export class SimulationServer {
  readonly port: number;
  readonly folder: string;
  readonly child: Child;
  readonly repository: GitRepository;
  readonly #scope: Scope;

  constructor(scope: Scope, child: Child, port: number, folder: string, repository: GitRepository) {
    this.#scope = scope;
    this.child = child;
    this.port = port;
    this.folder = folder;
    this.repository = repository;
  }

  /** Commits a world with switches of the fake Webots, such as `crash-before`, and returns its URL. */
  world(name: string, ...switches: readonly string[]): string {
    this.repository.commit({ [`worlds/${name}.wbt`]: `${WORLD}${switches.map((one) => `# fake: ${one}\n`).join('')}` });
    return `https://github.com/acme/arm/blob/main/worlds/${name}.wbt`;
  }

  async client(): Promise<SocketClient> {
    return new SocketClient(this.#scope, `ws://127.0.0.1:${this.port}/client`).open();
  }

  /** Opens a client and sends its start message. */
  async start(url: string, mode?: string): Promise<SocketClient> {
    const client = await this.client();
    client.socket.send(JSON.stringify({ start: { url, ...(mode !== undefined && { mode }) } }));
    return client;
  }

  /** The port that a client was sent to. */
  async streamPort(client: SocketClient, within = 30): Promise<number> {
    const line = await eventually(
      'the address of the stream',
      () => {
        assert.ok(!client.messages.some((message) => message.startsWith('error:')), client.messages.join(' | '));
        return client.messages.find((message) => message.startsWith('webots:'));
      },
      within,
    );
    return Number(/:(\d+)$/.exec(line)?.[1]);
  }

  async get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, { ...init, signal: AbortSignal.timeout(90_000) });
  }

  get log(): string {
    try {
      return readFileSync(join(this.folder, 'log/simulation/output.log'), 'utf8');
    } catch {
      return '';
    }
  }

  async stop(): Promise<Ended> {
    this.child.signal('SIGTERM');
    return this.child.ended;
  }

  /** All sessions are gone. */
  async empty(): Promise<void> {
    await eventually('the end of all sessions', async () => (await this.sessions()).length === 0);
  }

  async sessions(): Promise<readonly { readonly id: string; readonly state: string; readonly points?: number }[]> {
    const response = await this.get('/api/v1/sessions', { headers: { Authorization: `Bearer ${TOKEN}` } });
    return ((await response.json()) as { sessions: { id: string; state: string; points?: number }[] }).sessions;
  }
}

export const TOKEN = 'token-of-the-tests-0123456789';

/** Starts the server and waits until it listens. Tests of other processes may take its ports at the same moment; then it gets others. */
export async function startSimulationServer(scope: Scope, options: SimulationServerOptions = {}): Promise<SimulationServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnFreePorts(scope, options);
    } catch (error) {
      if (attempt === 5 || !(error instanceof Error && /another program listens there/.test(error.message))) throw error;
    }
  }
}

async function startOnFreePorts(scope: Scope, options: SimulationServerOptions): Promise<SimulationServer> {
  // Before the folder is removed: what is mounted in it goes with the server.
  const running: { child?: Child } = {};
  scope.after(async () => {
    running.child?.signal('SIGTERM');
    await running.child?.ended;
  });
  const folder = options.folder ?? temporary(scope);
  const home = join(folder, 'webots');
  mkdirSync(home, { recursive: true });
  copyFileSync(join(import.meta.dirname, 'fake-webots.mjs'), join(home, 'webots'));
  const mirror = join(folder, 'mirror');
  mkdirSync(mirror, { recursive: true });
  const repository = new GitRepository(mirror, 'acme/arm');
  const port = await freeRange(8);
  const path = join(folder, 'simulation.json');
  const configuration = {
    ...{ server: 'localhost', ssl: false, portRewrite: false, port, webotsHome: home, logDir: join(folder, 'log') },
    ...{ allowedRepositories: ['https://github.com/acme'], maxConnections: 6, stateDir: join(folder, 'state') },
    // A display elsewhere cannot be looked for.
    ...{ display: 'elsewhere:0', api: { token: TOKEN }, projects: { mirrors: { 'https://github.com/': `file://${mirror}/` } } },
    // Nothing of the system is needed for it.
    isolation: { use: 'none' },
    cache: { leaveFree: 0, refreshAfter: 0 },
    ...(typeof options.configuration === 'function' ? options.configuration(folder) : options.configuration),
  };
  writeFileSync(path, JSON.stringify(configuration));
  const { env, before } = options;
  const started = startChild(scope, ['simulation', path], {
    ...(env !== undefined && { env }),
    ...(before !== undefined && { before }),
  });
  running.child = started;
  await Promise.race([
    eventually('the simulation server', () => /^Simulation server \S+ on port \d+/m.test(started.stdout), 60),
    started.ended.then(({ status, stderr }) => {
      throw new Error(`the simulation server ended with status ${status} instead of starting: ${stderr}`);
    }),
  ]);
  return new SimulationServer(scope, started, configuration.port, folder, repository);
}

/** The first of so many ports in a row on which nothing listens. */
export async function freeRange(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '::', () =>
      server.close(() => {
        resolve(true);
      }),
    );
  });
}
