import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { listens, MARK, Marks } from './processes.ts';

test('processes are found by the mark of their session, also by those who ask while others are answered', async (t) => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    env: { [MARK]: 'tested/one' },
    stdio: 'ignore',
  });
  t.after(() => child.kill('SIGKILL'));
  const marks = new Marks('tested');
  await eventually('the process', async () => (await marks.of('one')).includes(child.pid ?? -1));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const asking = marks.find();
  child.kill('SIGKILL');
  await gone;
  const after = await Promise.all([marks.of('one'), marks.of('one'), marks.of('other')]);
  assert.deepEqual(after, [[], [], []]);
  assert.ok((await asking).size <= 1, 'the first one is answered, too');
});

test('a port is listened on by the processes that have it, and by no others', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await eventually('the server', () => server.listening);
  const { port } = server.address() as AddressInfo;
  const own = () => Promise.resolve([process.pid]);
  assert.equal(await listens(own, port), true);
  assert.equal(await listens(() => Promise.resolve([process.ppid]), port), false, 'of another process');
  assert.equal(await listens(own, port === 65_535 ? 1 : port + 1), false, 'of another port');
});
