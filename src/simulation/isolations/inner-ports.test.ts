import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { candidateAbove, InnerPorts } from './inner-ports.ts';

test('a port is free, is given to one session at a time, and is above those that the system gives to connections', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  t.after(() => server.close());
  const { port: taken } = server.address() as AddressInfo;
  const answers = [taken, candidateAbove(60_999)()];
  const first = await new InnerPorts(() => answers.shift() ?? 0).take();
  assert.ok(first > 0 && first !== taken, 'one that is taken is passed over');

  const ports = new InnerPorts(() => offered.shift() ?? 0);
  const offered = [first, first];
  assert.equal(await ports.take(), first);
  const second = await ports.take();
  assert.notEqual(second, first, 'not twice');
  ports.giveBack(first);
  offered.push(first);
  assert.equal(await ports.take(), first, 'again, once it was given back');

  const high = candidateAbove(60_999)();
  assert.ok(high >= 61_000 && high <= 65_535, String(high));
  assert.equal(candidateAbove(65_535)(), 0, 'where there are none above, any port of the system');
});
