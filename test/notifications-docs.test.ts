/** What `docs/reference/notifications.md` promises to operators and receivers is what the program does, in both directions. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { NOTIFICATION_KINDS, notificationKinds } from '../src/core/incidents/notification-kinds.ts';
import { sign, webhookBody } from '../src/notifiers/webhook.ts';

const page = read('docs/reference/notifications.md');

function read(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
}

/** The cells of a table's rows, from the header that begins with `first`. */
function table(first: string): string[][] {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${first}`));
  assert.ok(start >= 0, `no table ${first}`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) => {
    const cells = line.split('|').slice(1, -1);
    return cells.map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1'));
  });
}

test('the codes on the page are those of the program', () => {
  const sources = ['src/notifiers/email.ts', 'src/notifiers/webhook.ts'].map(read).join('\n');
  const codes = new Set([...sources.matchAll(/'((?:smtp|webhook)-[a-z-]+)'/g)].map(([, code]) => code));
  assert.deepEqual(
    table('code')
      .map(([code]) => code)
      .sort(),
    [...codes, 'deadline'].sort(),
  );
});

test('the kinds and subjects on the page are those of the program', () => {
  assert.deepEqual(
    table('kind'),
    NOTIFICATION_KINDS.map((kind) => [kind, notificationKinds[kind].subject]),
  );
});

test('the example of a body is what is sent, and the table names all its fields', () => {
  const example = JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? '') as Record<string, unknown>;
  const servers = [
    {
      id: 'a.example.org:2000',
      address: 'a.example.org/2000',
      load: 20.5,
      began: Date.UTC(2026, 10, 22, 15, 6, 19) / 1000,
      lasted: 725,
    },
  ];
  const at = Date.UTC(2026, 10, 22, 15, 18, 24) / 1000;
  const body = webhookBody({ id: 'Zk3v\u2026', kind: 'recovered', at, servers }, 'https://example.org/1999/monitor');
  assert.deepEqual(JSON.parse(body), example);
  assert.deepEqual(
    table('field').map(([field]) => field),
    Object.keys(example),
  );
  const [, ofServers = ''] = /^Each of the `servers` has:\n(.*?)\n\n##/ms.exec(page) ?? [];
  assert.deepEqual(
    [...ofServers.matchAll(/`([a-z]+)`/g)].map(([, field]) => field).filter((field) => field !== 'null'),
    ['id', 'address', 'load', 'reason', 'began', 'lasted'],
  );
});

test('the check of a signature on the page accepts a genuine one and no other', async () => {
  const code = /```js\n(.*?)```/s.exec(page)?.[1] ?? '';
  const module = (await import(`data:text/javascript,${encodeURIComponent(`${code}\nexport { isGenuine };`)}`)) as {
    isGenuine: (body: string, header: string | undefined, secret: string) => boolean;
  };
  const body = '{"a":"\u00fc"}';
  assert.equal(module.isGenuine(body, sign(body, 'secret'), 'secret'), true);
  assert.equal(module.isGenuine(`${body} `, sign(body, 'secret'), 'secret'), false);
  assert.equal(module.isGenuine(body, sign(body, 'other'), 'secret'), false);
  assert.equal(module.isGenuine(body, undefined, 'secret'), false);
});
