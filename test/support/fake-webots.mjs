#!/usr/bin/env node
// Stands for Webots in tests: it takes the same arguments, says the same words and serves a stream on its port. What it does otherwise is written in the world, in lines such as `# fake: crash-before`.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, dirname } from 'node:path';

const args = process.argv.slice(2);
const world = args.at(-1) ?? '';
const port = Number(args.find((argument) => argument.startsWith('--port='))?.slice('--port='.length));
const text = existsSync(world) ? readFileSync(world, 'utf8') : '';
const switches = new Map([...text.matchAll(/^# fake: ([a-z-]+)(?: (.*))?$/gm)].map(([, name, value]) => [name, value ?? '']));
const has = (name) => switches.has(name);
const later = (task, ms) => setTimeout(task, ms);

if (has('ignore-term')) process.on('SIGTERM', () => undefined);
if (has('environment')) writeFileSync(switches.get('environment'), JSON.stringify({ ...process.env, args, cwd: process.cwd() }));
if (has('crash-before')) process.exit(3);
if (has('fork-away')) {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  child.unref();
}
if (has('clear-environment')) {
  spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore', env: {} }).unref();
}
if (has('bomb'))
  for (let i = 0; i < 400; i += 1)
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' }).on('error', () => undefined);
if (has('eat-memory')) {
  const eaten = [];
  setInterval(() => eaten.push(Buffer.alloc(8_000_000, 1)), 10);
}
if (has('fill-disk')) {
  let n = 0;
  setInterval(() => {
    try {
      writeFileSync(join(dirname(world), `fill${(n += 1)}`), Buffer.alloc(1_000_000, 1));
    } catch (error) {
      console.log(`disk: ${error.code}`);
    }
  }, 5);
}
if (has('flood')) setInterval(() => process.stdout.write('flood '.repeat(10_000) + '\n'), 1);
if (has('burn'))
  setInterval(() => {
    for (const end = Date.now() + 900; Date.now() < end;);
  }, 1);

const server = createServer((request, response) => {
  const end = /^\/end\/(\d+)$/.exec(request.url ?? '')?.[1];
  if (end !== undefined) process.exit(Number(end));
  if (request.url === '/files') response.end(JSON.stringify(readdirSync(dirname(world))));
  else response.end(`webots ${request.url}`);
});
// Enough of a WebSocket for a stream: it agrees, says hello once and then what the file of the world was called.
server.on('upgrade', async (request, socket) => {
  const { createHash } = await import('node:crypto');
  const key = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
  );
  const hello = Buffer.from(`world:${world.split('/').at(-1)}`);
  socket.write(Buffer.concat([Buffer.from([0x81, hello.length]), hello]));
  socket.on('error', () => undefined);
});
const listen = () =>
  server.listen(has('other-port') ? port + 1 : port, () => later(say, has('slow') ? Number(switches.get('slow')) : 0));
const say = () => {
  if (has('silent')) return;
  console.log('.');
  if (has('running')) console.log('real-time');
  setInterval(() => console.log('.'), has('heartbeat') ? 50 : 5000);
};
if (has('listen-late')) {
  say();
  later(() => server.listen(port), 300);
} else if (!has('no-port')) listen();
else say();
setInterval(() => undefined, 1000);
