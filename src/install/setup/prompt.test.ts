import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { askAtTerminal } from './prompt.ts';

function sit() {
  const keys = new PassThrough();
  const screen = new PassThrough();
  let text = '';
  // Node 26 reads one chunk at a time.
  const read = () => screen.read() as Buffer | string | null;
  const said = () => {
    for (let chunk = read(); chunk !== null; chunk = read()) text += chunk.toString();
    return text;
  };
  return { keys, person: askAtTerminal(keys, screen), said };
}

test('a person is asked, and accepts the proposal by Enter', async () => {
  const { keys, person, said } = sit();
  const asked = person.ask('Mail server', 'localhost');
  assert.match(said(), /Mail server \[localhost\]: /);
  keys.write('\r');
  assert.equal(await asked, 'localhost');
  const again = person.ask('Mail server', 'localhost');
  keys.write('smtp.example.org\r');
  assert.equal(await again, 'smtp.example.org');
  assert.equal(person.left, undefined);
  person.close();
});

for (const [key, name, left] of [
  ['\x03', 'Ctrl-C', 'interrupted'],
  ['\x04', 'Ctrl-D', 'ended'],
] as const)
  test(`after leaving by ${name}, a person answers no more questions`, async () => {
    const { keys, person } = sit();
    const asked = person.ask('Mail server', 'localhost');
    keys.write(key);
    await assert.rejects(asked, { code: 'ABORT_ERR' });
    assert.equal(person.left, left);
    await assert.rejects(person.ask('Another', ''), { code: 'ABORT_ERR' });
  });
