/** The built simulation server as a child process, with clients of its sessions. Everything it makes is in one folder, which is removed with it. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { packageRoot } from '../../src/system/package-root.ts';
import { writePlainSimulator } from './plain-simulator.ts';
import { ProjectRepository } from './project-repository.ts';
import { getOnce } from './requests.ts';
import { until } from './pause.ts';
import { usageOf, type Usage } from './usage.ts';

export interface SimulationProgramOptions {
  readonly isolation: string;
  /** Files of sessions are copied, as on machines that do not let the server mount. */
  readonly copies?: boolean;
  readonly configuration?: Readonly<Record<string, unknown>>;
}

export interface SimulationProgram {
  readonly pid: number;
  readonly port: number;
  readonly folder: string;
  /** Of the simulator. */
  readonly home: string;
  readonly state: string;
  repository(name: string): ProjectRepository;
  /** Opens a client and sends its start message. */
  start(url: string): Promise<SessionClient>;
  /** Sessions of which something is there. */
  sessions(): Promise<number>;
  /** A line of `/metrics` by its beginning. */
  metric(name: string): Promise<number>;
  usage(): Usage;
  /** Seconds of CPU of the server, of its launcher, and of the programs that ran and have ended. */
  cpu(): { readonly server: number; readonly launcher: number; readonly programs: number };
  stop(): Promise<void>;
}

const TOKEN = 'token-of-the-benchmark';
/** Above the ports that systems give away, and the ports of a thousand sessions. */
const FIRST_PORT = 20_000;
const PORTS = 12_000;
/** Seconds. */
const MAX_START = 60;

/** `NODE_FLAGS` of the environment (`--cpu-prof` …) go to Node. */
export async function startSimulationProgram(options: SimulationProgramOptions): Promise<SimulationProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-simulation-'));
  const home = writePlainSimulator(folder);
  // A comma cannot be in an option of mount, so files are copied.
  const state = join(folder, options.copies === true ? 'state,copies' : 'state');
  const mirror = join(folder, 'mirror');
  const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
  const path = join(folder, 'configuration', 'simulation.json');
  mkdirSync(mirror);
  mkdirSync(join(folder, 'configuration'));
  const configuration = {
    ...{
      server: 'localhost',
      ssl: false,
      portRewrite: false,
      port,
      listen: '127.0.0.1',
      webotsHome: home,
      display: 'elsewhere:0',
    },
    ...{ logDir: join(folder, 'log'), stateDir: state, maxConnections: 128, api: { token: TOKEN } },
    ...{ allowedRepositories: ['https://github.com/acme'], isolation: { use: options.isolation } },
    ...{ projects: { mirrors: { 'https://github.com/': `file://${mirror}/` } }, cache: { leaveFree: 0 } },
    ...options.configuration,
  };
  writeFileSync(path, JSON.stringify(configuration));
  const program = join(packageRoot, 'bin/session-server.mjs');
  const flags = process.env['NODE_FLAGS']?.split(' ') ?? [];
  const child = spawn(process.execPath, [...flags, program, 'simulation', path], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = () => child.kill('SIGTERM');
  process.once('exit', end);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until('the start of the simulation server', MAX_START, 0.02, () => Promise.resolve(/ on port \d+/.test(said)));
  const pid = child.pid ?? 0;
  const repositories = new Map<string, ProjectRepository>();
  return {
    ...{ pid, port, folder, home, state },
    repository(name) {
      const known = repositories.get(name) ?? new ProjectRepository(mirror, name);
      repositories.set(name, known);
      return known;
    },
    start: (url) => SessionClient.start(port, url),
    async sessions() {
      const text = await getOnce(port, '/api/v1/sessions', `Authorization: Bearer ${TOKEN}\r\n`);
      return (JSON.parse(text) as { readonly sessions: readonly unknown[] }).sessions.length;
    },
    async metric(name) {
      const line = (await getOnce(port, '/metrics')).split('\n').find((one) => one.startsWith(name));
      return Number(line?.split(' ').at(-1) ?? 0);
    },
    usage: () => usageOf(pid),
    cpu() {
      const launchers = childrenOf(pid).map(usageOf);
      const sum = (of: (usage: Usage) => number) => launchers.reduce((seconds, usage) => seconds + of(usage), 0);
      return { server: usageOf(pid).cpu, launcher: sum(({ cpu }) => cpu), programs: sum(({ children }) => children) };
    },
    async stop() {
      process.off('exit', end);
      end();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The other programs of the server: its launcher. */
export function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text
    .split(' ')
    .filter((one) => one !== '')
    .map(Number);
}

export class SessionClient {
  readonly socket: WebSocket;
  /** Milliseconds on the clock of this process. */
  readonly startedAt: number;
  readonly closed: Promise<void>;
  messages: readonly string[] = [];
  #changed: () => void = () => undefined;

  static async start(port: number, url: string): Promise<SessionClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/client`);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve).once('error', reject);
    });
    return new SessionClient(socket, url);
  }

  private constructor(socket: WebSocket, url: string) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve();
        this.#changed();
      });
    });
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      this.messages = [...this.messages, data.toString('utf8')];
      this.#changed();
    });
    this.startedAt = performance.now();
    socket.send(JSON.stringify({ start: { url } }));
  }

  /** Milliseconds from the start message to the address of the stream; throws when there is none. */
  async streams(): Promise<number> {
    for (;;) {
      if (this.messages.some((line) => line.startsWith('webots:'))) return performance.now() - this.startedAt;
      if (this.socket.readyState !== this.socket.OPEN) throw new Error(`no stream: ${this.messages.join(' | ')}`);
      await this.#change();
    }
  }

  /** So many messages have come, or the connection is closed. */
  async hears(count: number): Promise<void> {
    while (this.messages.length < count && this.socket.readyState === this.socket.OPEN) await this.#change();
  }

  get streamPort(): number {
    return Number(/:(\d+)$/.exec(this.messages.find((line) => line.startsWith('webots:')) ?? '')?.[1]);
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => (this.#changed = resolve));
  }
}
