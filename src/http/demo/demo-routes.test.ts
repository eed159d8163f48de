import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import type { DemoAction, DemoView } from '../../core/views/demo-view.ts';
import { renderDemoPage } from '../../web/visitors/render.ts';
import { createDemoRoutes } from './demo-routes.ts';

const VIEW: DemoView = {
  address: 'http://localhost:1999',
  tokens: { operator: 'sst_1', teacher: 'sst_2' },
  machines: [
    { name: 'localhost:2000', state: 'running' },
    { name: 'localhost:2003', state: 'stopped' },
  ],
  class: { size: 30, present: false, waiting: 0, simulating: 0, done: 0, restarted: 0, lastAnswer: undefined },
  mail: { slow: false, delay: 15, received: ['Simulation server <b>'] },
};

function start() {
  const acted: DemoAction[] = [];
  const files = { script: 'a.js', styles: 'a.css', viewer: { script: 'b.js', styles: 'b.css' } };
  const fleet = { open: true, places: 2, waiting: 0, machines: 2, silent: 0, drained: 0 };
  const routes = createDemoRoutes({
    demo: { view: () => VIEW, act: (action) => void acted.push(action) },
    page: () => ({ site: 'Robots', monitor: true, classes: true, demo: true, fleet, files }),
    languages: () => ({ accepted: 'en', added: {} }),
    render: renderDemoPage,
  });
  const request = async (method: string, body = '', headers: Record<string, string> = {}) => {
    const sent = { Host: 'localhost:1999', 'Content-Type': 'application/x-www-form-urlencoded', ...headers };
    const lower = Object.fromEntries(Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value]));
    const incoming = { headers: lower, rawHeaders: Object.entries(sent).flat() } as unknown as IncomingMessage;
    const init = method === 'GET' ? { method, headers: sent } : { method, headers: sent, body };
    return routes.request('/demo', init, { incoming });
  };
  return { acted, request };
}

test('each button of the page is a form that does what it says, and returns to the page', async () => {
  const { acted, request } = start();
  const html = await (await request('GET')).text();
  const forms = [...html.matchAll(/<form method="post" action="demo">(.*?)<\/form>/gs)].map(([, form = '']) =>
    new URLSearchParams(
      [...form.matchAll(/name="(\w+)" value="([^"]+)"/g)].map(([, name = '', value = '']) => [name, value]),
    ).toString(),
  );
  assert.equal(forms.length, 4);
  for (const form of forms) {
    const answer = await request('POST', form, { Origin: 'http://localhost:1999' });
    assert.deepEqual([answer.status, answer.headers.get('Location')], [303, 'demo']);
  }
  assert.deepEqual(acted, [
    { kind: 'send-class' },
    { kind: 'stop-machine', machine: 'localhost:2000' },
    { kind: 'start-machine', machine: 'localhost:2003' },
    { kind: 'slow-mail' },
  ]);
  assert.match(html, /Simulation server &lt;b>/);
  assert.match(html, /href="monitor"[^]*sst_1[^]*href="classes"[^]*sst_2/);
  assert.match(html, /localhost:1999\/client\/v1-button\.js/);
});

test('a page of another site cannot press the buttons, and nothing else is an action', async () => {
  const { acted, request } = start();
  const statusOf = async (...[method, body, headers]: Parameters<typeof request>) =>
    (await request(method, body, headers)).status;
  assert.equal(await statusOf('POST', 'action=send-class', { Origin: 'http://evil.example' }), 403);
  assert.equal(await statusOf('POST', 'action=send-class', { Origin: 'null' }), 403);
  assert.equal(await statusOf('POST', 'action=send-class', { 'Sec-Fetch-Site': 'same-site' }), 403);
  assert.equal(await statusOf('POST', 'action=format-disk'), 400);
  assert.equal(await statusOf('POST', 'action=stop-machine'), 400);
  assert.equal(await statusOf('POST', `action=${'x'.repeat(2000)}`, { 'Content-Length': '2007' }), 413);
  assert.equal(await statusOf('DELETE'), 405);
  assert.deepEqual(acted, []);
});
