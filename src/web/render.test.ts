import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DemoFleet } from '../../test/support/monitor-source.ts';
import { renderMonitorPage } from './render.ts';

const files = { script: 'monitor/monitor.js', styles: 'monitor/monitor.css' };

function render(fleet: DemoFleet, timeZone = 'UTC'): string {
  return renderMonitorPage(fleet.snapshot(), { ...files, timeZone });
}

/** The text of each cell of each row of the table of servers. */
function rows(html: string): string[][] {
  const table = /<table class="bordered"[^]*?<\/table>/.exec(html)?.[0] ?? '';
  return [...table.matchAll(/<tr[^>]*>([^]*?)<\/tr>/g)].map(([, row = '']) =>
    [...row.matchAll(/<(?:td|th)[^>]*>([^]*?)<\/(?:td|th)>/g)].map(([, cell = '']) => textOf(cell)),
  );
}

function textOf(html: string): string {
  return html
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .trim();
}

test('before any script has run the page states what the original states (docs/design/protocol.md, "HTTP")', () => {
  const fleet = new DemoFleet({ servers: 2, now: Date.parse('2026-11-22T15:18:24Z') / 1000 });
  fleet.set(fleet.ids[0] ?? '', { load: 20.5 });
  fleet.set(fleet.ids[1] ?? '', { load: null, state: 'down' });
  const html = render(fleet);
  assert.match(html, /<h1[^>]*>Webots session server<\/h1>/);
  const text = textOf(html);
  assert.ok(text.includes('Started on Sunday, November 22, 2026 at 15:18:24'));
  assert.ok(text.includes('Managing 2 simulation servers:'));
  const [head, first, second, average] = rows(html);
  assert.deepEqual(head?.slice(0, 3), ['#', 'simulation server', 'load']);
  assert.deepEqual(first?.slice(0, 3), ['1', 'sim01.example.org/2000', '20.5%']);
  assert.deepEqual(second?.slice(0, 3), ['2', 'sim02.example.org/3000', 'N/A']);
  assert.deepEqual(average?.slice(0, 3), ['', 'average:', '20.5%']);
  assert.match(html, /<a href="https:\/\/sim01\.example\.org\/2000\/monitor"[^>]*>sim01\.example\.org\/2000<\/a>/);
});

test('one server is a server, and without an answer the average is not known', () => {
  const one = new DemoFleet({ servers: 1 });
  one.set(one.ids[0] ?? '', { load: null });
  const html = render(one);
  assert.ok(textOf(html).includes('Managing 1 simulation server:'));
  assert.deepEqual(rows(html).at(-1)?.slice(0, 3), ['', 'average:', 'N/A']);
  assert.ok(textOf(render(new DemoFleet({ servers: 0 }))).includes('Add your first simulation server'));
});

test('the page says what is held for classes and why, and not which classes', () => {
  const fleet = new DemoFleet({ now: Date.parse('2026-09-15T07:55:00Z') / 1000 });
  assert.doesNotMatch(render(fleet), /Classes/);
  const start = fleet.now + 300;
  const near = {
    ...{ id: 'near', doors: start - 600, start, end: start + 5400, heldUntil: start + 600 },
    ...({ state: 'gathering', seats: 30, taken: 0, held: 30, predicted: 26 } as const),
  };
  const easing = { ...near, id: 'easing', start: start + 3600, predicted: 40, state: 'easing', taken: 18, held: 6 } as const;
  fleet.classes = [near, easing, { ...near, id: 'open', state: 'open', taken: 2, held: 28 }];
  const [id = ''] = fleet.ids;
  fleet.set(id, { load: 20, classSeats: { held: 6, taken: 2, points: 48 } });
  const text = textOf(render(fleet));
  assert.match(
    text,
    /08:00 to 09:30: 30 seats can be taken from 07:50\. Others get a session only if the seats will be free in time\./,
  );
  assert.match(text, /in time\. Only 26 of them will be free in time\./);
  assert.match(text, /the doors are open\. 2 of 30 seats taken, 28 held until 08:10\./);
  assert.match(render(fleet), /title="20\.0% reported, limit 90%, about 6 seats held for classes, 2 taken"/);
  assert.match(render(fleet), /<rect class="held" x="42"/);
  assert.match(text, /free seats go back to others\. 18 of 30 seats taken, 6 held\.(?! Only)/);
});

test('the time of the start is shown in the given time zone, in English, with 24 hours', () => {
  const fleet = new DemoFleet({ now: Date.parse('2026-11-01T23:05:09Z') / 1000 });
  assert.ok(textOf(render(fleet)).includes('Started on Sunday, November 01, 2026 at 23:05:09'));
  assert.ok(textOf(render(fleet, 'Asia/Tokyo')).includes('Started on Monday, November 02, 2026 at 08:05:09'));
});

test('the servers are in the configured order, with their state and its reason in words', () => {
  const fleet = new DemoFleet({ servers: 12 });
  fleet.set(fleet.ids[4] ?? '', { state: 'draining', reason: 'Draining since ada asked for it: new disk.' });
  const [, ...found] = rows(render(fleet)).slice(0, -1);
  assert.deepEqual(
    found.map(([number]) => Number(number)),
    Array.from({ length: 12 }, (_, index) => index + 1),
  );
  assert.match(found[4]?.[3] ?? '', /^draining.*Draining since ada asked for it: new disk\.$/);
});

test('a title, an address and a reason are shown as text, whatever they are', () => {
  const nasty = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</title><script>alert(1)</script>',
    '&lt;b&gt; &amp; \u202e\u2066right to left\u2069',
    'x'.repeat(10_000),
    '${alert(1)}{{7*7}}',
    '\u0000\u0007\ud800',
  ];
  const tags = new Set([...render(new DemoFleet({ servers: 1 })).matchAll(/<([a-z0-9]+)/g)].map(([, name]) => name));
  for (const text of nasty) {
    const fleet = new DemoFleet({ servers: 1 });
    fleet.title = text;
    fleet.set(fleet.ids[0] ?? '', { address: text, reason: text, labels: { [text]: text } });
    const html = render(fleet);
    const found = new Set([...html.matchAll(/<([a-z0-9]+)/g)].map(([, name]) => name));
    assert.deepEqual(found, tags, text.slice(0, 40));
    assert.ok(!/\son[a-z]+=/.test(html.replace(/"[^"]*"/g, '""').replace(/>[^<]*</g, '><')), text.slice(0, 40));
    assert.equal(html.match(/<title>/g)?.length, 1);
  }
});

test('an address that is a script is not one in a link', () => {
  const fleet = new DemoFleet({ servers: 1 });
  fleet.set(fleet.ids[0] ?? '', { monitorUrl: 'javascript:alert(1)//' });
  assert.ok(!render(fleet).includes('href="javascript:'));
});

test('a very large fleet has a page of bounded size that says what it leaves out', () => {
  const html = render(new DemoFleet({ servers: 2500 }));
  assert.ok(textOf(html).includes('Managing 2500 simulation servers:'));
  assert.ok(textOf(html).includes('and 500 more'));
});

test('replicas, who leads, and what is wrong with them and their store are on the page', () => {
  const fleet = new DemoFleet({ now: Date.parse('2026-09-15T07:55:00Z') / 1000 });
  assert.doesNotMatch(render(fleet), /Replicas/);
  const clock = { storeLatency: 0.001, clockDifference: 0 };
  const a = { name: 'a', leads: true, version: '0.2.0', address: null, silentFor: 0, polls: 2500, ...clock };
  const store = { answers: true, program: 'Redis 7.0.15', latency: 0.0004, failures: 0, problems: [] };
  const replicas = { leader: 'a', term: 3, store, members: [{ ...a, differingSettings: [] }], missing: [] };
  fleet.replicas = replicas;
  const fine = textOf(render(fleet));
  assert.match(fine, /a leads \(version 0\.2\.0\)\. It polls 2500 servers\./);
  assert.match(fine, /Store \(Redis 7\.0\.15\) answers in less than 1 ms\./);
  const b = { ...a, name: 'b', leads: false, silentFor: 9, clockDifference: -120, differingSettings: ['limits', 'waiting'] };
  fleet.replicas = {
    ...replicas,
    members: [b],
    store: { ...store, answers: false, problems: ['It is full.'] },
    missing: [{ name: 'c', since: fleet.now - 60 }],
  };
  const html = render(fleet);
  assert.match(
    textOf(html),
    /b follows .* silent for 9 s\. Its clock differs by 120 seconds\. Other settings than the leader: limits, waiting\./,
  );
  assert.match(textOf(html), /Store .*does not answer\. It is full\./);
  assert.match(textOf(html), /c has been missing since 07:54:00\./);
});
