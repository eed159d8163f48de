/**
 * The door: the way into a session that has no network. Arguments: the path of a Unix socket, the simulator's TCP port, and perhaps the simulator itself with
 * its arguments, which is started first and whose end is ours. The socket is there as soon as something listens on the port, and joins each connection to it.
 */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { constants } from 'node:os';

const [path = '', port = '', program, ...args] = process.argv.slice(2);
/** Milliseconds between two checks whether the simulator listens: the first pause, and the maximum. */
const FIRST_PAUSE = 20;
const MAX_PAUSE = 250;

if (program !== undefined) {
  const child = spawn(program, args, { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    console.error(error.message);
    process.exit(127);
  });
  child.once('exit', (code, signal) => process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
}

look(FIRST_PAUSE);

function look(pause: number): void {
  const trial = connect({ host: '127.0.0.1', port: Number(port) });
  trial.once('connect', () => {
    trial.destroy();
    open();
  });
  trial.once('error', () => setTimeout(look, pause, Math.min(MAX_PAUSE, pause * 1.5)));
}

function open(): void {
  createServer({ allowHalfOpen: true }, (outer) => {
    const inner = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
    outer.pipe(inner);
    inner.pipe(outer);
    outer.on('error', () => inner.destroy());
    inner.on('error', () => outer.destroy());
    outer.once('close', () => inner.destroy());
    inner.once('close', () => outer.destroy());
  }).listen(path);
}
