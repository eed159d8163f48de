/**
 * `session-server demo`: the session server, simulation servers with the built-in robot as children, a mail server, and a
 * page with buttons. Logs and state go to a temporary folder, which is removed at the end; the working directory is left
 * alone. Only this machine can reach it, unless another address is named.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeToken, tokenBytes } from '../config/token.ts';
import { addressKind } from '../core/fleet/ip-address.ts';
import { hostInUrl } from '../core/fleet/endpoint.ts';
import { createDemo } from '../demo/demo.ts';
import { MailServer } from '../demo/mail-server.ts';
import { Machine } from '../demo/machines.ts';
import { SchoolClass } from '../demo/school-class.ts';
import { packageRoot } from '../system/package-root.ts';
import { systemClock } from '../system/system-clock.ts';
import { FAILED, type ProcessLifecycle } from './process-lifecycle.ts';
import { startCommand } from './start.ts';

export interface DemoOptions {
  readonly port: number;
  /** Of the first simulation server. Its sessions get the ports above it, and the next simulation server those above them. */
  readonly simulationPort: number;
  readonly machines: number;
  /** Address to listen on. */
  readonly listen: string;
  /** Name at which browsers reach it. */
  readonly server?: string;
}

/** Sessions of one simulation server (config/simulation/demo.json). */
const PLACES = 2;
/** Seconds in which the sessions of the simulation servers have to end. */
const MAX_STOP = 10;
const CLASS = { size: 30, stay: [10, 30] } as const;

export async function demoCommand({ port, simulationPort, machines: count, listen, ...names }: DemoOptions): Promise<void> {
  const folder = makeFolder();
  if (folder === undefined) return;
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const server = names.server ?? hostFor(listen);
  const ports = Array.from({ length: count }, (_, index) => simulationPort + index * (PLACES + 1));
  const machines = ports.map((port) => {
    const changes = { listen, server, port };
    return new Machine({ name: `${server}:${port}`, configuration: writeConfiguration(folder, 'simulation', changes) });
  });
  const mail = await MailServer.start(systemClock);
  const [operator, teacher] = [makeToken(randomBytes(tokenBytes)), makeToken(randomBytes(tokenBytes))];
  const session = writeConfiguration(folder, 'session', {
    ...{ listen, server, port, simulationServers: ports.map((port) => `${server}:${port}`) },
    ...{ administrator: 'operator@demo.example', mailSender: 'session-server@demo.example' },
    ...{ mailServer: '127.0.0.1', mailServerPort: mail.port },
    admin: {
      tokens: [
        { name: 'operator', hash: operator.hash },
        { name: 'teacher', hash: teacher.hash, role: 'teacher' },
      ],
    },
  });
  const url = `ws://${server}:${port}/session`;
  const students = new SchoolClass({ clock: systemClock, random: Math.random, url, ...CLASS });
  await startCommand(session, {
    maxStop: MAX_STOP,
    page: '',
    demo: createDemo({
      ...{ machines, students, mail, address: `http://${server}:${port}` },
      tokens: { operator: operator.token, teacher: teacher.token },
    }),
    beside: (life) => startBeside(life, { machines, students, mail }),
  });
}

/** `undefined`: it cannot be made, which was said. */
function makeFolder(): string | undefined {
  try {
    return mkdtempSync(join(tmpdir(), 'session-server-demo-'));
  } catch (error) {
    console.error(`error: ${(error as Error).message} — set TMPDIR to a folder in which this user may write`);
    process.exitCode = FAILED;
    return undefined;
  }
}

/** As browsers reach what listens there. */
function hostFor(listen: string): string {
  const kind = addressKind(listen);
  if (kind === 'unspecified') return hostname();
  return kind === 'loopback' ? 'localhost' : hostInUrl(listen);
}

type Changes = Readonly<Record<string, unknown>> & { readonly port: number };

/** The configuration of the package, with these changes and folders. Returns its path. */
function writeConfiguration(folder: string, program: 'session' | 'simulation', changes: Changes): string {
  const file: unknown = JSON.parse(readFileSync(join(packageRoot, 'config', program, 'demo.json'), 'utf8'));
  const name = `${program}-${changes.port}`;
  const path = join(folder, `${name}.json`);
  const { $schema: _, ...keys } = file as Record<string, unknown>;
  const folders = { logDir: join(folder, 'log', name), stateDir: join(folder, 'state', name) };
  writeFileSync(path, JSON.stringify({ ...keys, ...changes, ...folders }));
  return path;
}

interface Beside {
  readonly machines: readonly Machine[];
  readonly students: SchoolClass;
  readonly mail: MailServer;
}

/** `false`: a simulation server did not start, and said why. */
async function startBeside(life: ProcessLifecycle, { machines, students, mail }: Beside): Promise<boolean> {
  life.add({
    async stop() {
      students.sendHome();
      await Promise.all([mail.stop(), ...machines.map((machine) => machine.stop())]);
    },
  });
  const started = await Promise.all(machines.map((machine) => machine.start()));
  if (started.every(Boolean)) return true;
  await Promise.all([mail.stop(), ...machines.map((machine) => machine.stop())]);
  process.exitCode = FAILED;
  return false;
}
