// `npm run dev`: the session server from its sources, with twelve made-up simulation servers, five of them faulty, and a class of students. A change below `src`
// builds and restarts the server; an open page reloads by itself. `PORT=8080 npm run dev` uses another port. Ctrl-C ends everything.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { FakeSimulationServer, replies } from '../test/support/fake-simulation-server.ts';
import { ScriptedSimulationServer } from '../test/support/scripted-simulation-server.ts';
import { buildWeb } from './build-web.mjs';

const root = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const port = Number(process.env['PORT'] ?? 1999);
/** Load of each server without students; the last is always full. */
const LOADS = [4, 12, 25, 33, 48, 60, 97];
/** Load points of one student. */
const COST = 6;
/** Milliseconds. */
const STEP = 1000;
const BETWEEN_STUDENTS = 3000;
const MAX_STAY = 90_000;
const SETTLED = 200;

const servers = await Promise.all(LOADS.map((load) => ScriptedSimulationServer.start({ after: () => undefined }, { load })));
const unreliable = await FakeSimulationServer.start(20);
const faulty = [
  unreliable,
  await FakeSimulationServer.start(() => undefined),
  await FakeSimulationServer.start(replies(200, '<html><body>It works!</body></html>')),
  await FakeSimulationServer.start(replies(500, 'out of memory')),
];
const stopped = await FakeSimulationServer.start();
const gone = stopped.address;
await stopped.stop();

const folder = mkdtempSync(join(tmpdir(), 'session-server-dev-'));
const path = join(folder, 'session.json');
const simulationServers = [...servers, ...faulty].map((server) => `127.0.0.1:${server.port}`).concat(gone);
const configuration = { server: `localhost:${port}`, ssl: false, portRewrite: false, port, debug: true, pollInterval: 2 };
const folders = { logDir: join(folder, 'log'), stateDir: join(folder, 'state') };
writeFileSync(path, JSON.stringify({ ...configuration, ...folders, simulationServers }));

let child;
let builds = 0;
let ending = false;
await restart();
setInterval(changeLoads, STEP);
setInterval(() => void sendStudent(), BETWEEN_STUDENTS);
let timer;
watch(join(root, 'src'), { recursive: true }, (_, name) => {
  if (name === null || /\.test\.tsx?$/.test(name)) return;
  clearTimeout(timer);
  timer = setTimeout(() => void restart(), SETTLED);
});
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    ending = true;
    await stopServer();
    rmSync(folder, { recursive: true, force: true });
    process.exit();
  });

/** Builds a package of its own in `dist/dev`, so that a build of the program or a running one is not disturbed. Open pages reload because its version is new. */
async function restart() {
  const build = join(root, 'dist', 'dev');
  builds += 1;
  mkdirSync(build, { recursive: true });
  writeFileSync(join(build, 'package.json'), JSON.stringify({ type: 'module', version: `${version}-dev.${builds}` }));
  try {
    execFileSync(process.execPath, [join(root, 'scripts', 'build-program.mjs'), join(build, 'dist', 'program')]);
    await buildWeb(join(build, 'dist', 'web'));
  } catch (error) {
    console.error(`not built; the server goes on as it was: ${error.message}`);
    return;
  }
  await stopServer();
  if (ending) return;
  child = spawn(process.execPath, [join(build, 'dist', 'program', 'main.js'), 'start', path], { stdio: 'inherit' });
}

async function stopServer() {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}

function changeLoads() {
  for (const [index, server] of servers.entries())
    server.load = Math.round(Math.max(0, LOADS[index] + server.openClients * COST + (Math.random() - 0.5) * 4) * 10) / 10;
  // Goes away for half of every minute.
  if (new Date().getSeconds() < 30) unreliable.report(20);
  else unreliable.hang();
}

/** Asks for a server as a browser does, and stays there for a while. */
async function sendStudent() {
  const project = `https://github.com/school/robot-${Math.ceil(Math.random() * 5)}/blob/main/worlds/arm.wbt`;
  const answer = await fetch(`http://localhost:${port}/session?url=${project}`).then(
    (response) => response.text(),
    () => '',
  );
  if (!answer.startsWith('ws://')) return;
  const socket = new WebSocket(`${answer}/client`);
  socket.on('error', () => undefined);
  socket.once('open', () => socket.send(JSON.stringify({ start: { url: project } })));
  setTimeout(() => socket.terminate(), Math.random() * MAX_STAY);
}
