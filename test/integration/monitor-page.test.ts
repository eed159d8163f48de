/**
 * The facts of the original's monitor, in the page as it is served, before any script has run
 * (docs/design/protocol.md, "HTTP").
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { rawRequest, requestText } from '../support/raw-http.ts';
import { startProgram } from '../support/start-program.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const scope = { after };
const server = await startSimulationServer(scope, 20.5);
const began = Math.floor(Date.now() / 1000) * 1000;
const program = await startProgram(scope, { simulationServers: ['127.0.0.1:9', server.address] }, { env: { TZ: 'UTC' } });
await eventually('the load', async () => (await program.get('/load')) === '20.5');

/** Text and links of the page, without what is not shown. */
function shown(html: string): string {
  return html
    .replace(/<(script|style|template)\b[^>]*>[^]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ');
}

test('heading, start, number of servers, the table in the configured order, and the average', async () => {
  const html = await program.get('/monitor');
  const text = shown(html);
  assert.match(html, /<h1[^>]*>Webots session server<\/h1>/);
  const [, start] = /Started on ([A-Z][a-z]+, [A-Z][a-z]+ \d{1,2}, \d{4} at \d\d:\d\d:\d\d)/.exec(text) ?? [];
  assert.ok(start !== undefined, text.slice(0, 500));
  const at = Date.parse(`${start.replace(/^[A-Za-z]+, /, '').replace(' at ', ' ')} UTC`);
  assert.ok(at >= began - 1000 && at <= Date.now(), start);
  assert.equal(start.split(',')[0], new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'UTC' }).format(at));
  assert.match(text, /Managing 2 simulation servers:/);

  const header = /<thead\b[^>]*>([^]*?)<\/thead>/.exec(html)?.[1] ?? '';
  const columns = [...header.matchAll(/<th\b[^>]*>([^]*?)<\/th>/g)].map(([, cell = '']) => shown(cell).trim());
  assert.deepEqual(columns.slice(0, 3), ['#', 'simulation server', 'load']);
  const body = /<tbody\b[^>]*>([^]*?)<\/tbody>/.exec(html)?.[1] ?? '';
  const rows = [...body.matchAll(/<tr\b[^>]*>([^]*?)<\/tr>/g)].map(([, row = '']) =>
    [...row.matchAll(/<t[dh]\b[^>]*>([^]*?)<\/t[dh]>/g)].map(([, cell = '']) => shown(cell).trim()),
  );
  assert.equal(rows.length, 2);
  assert.deepEqual([rows[0]?.[0], rows[1]?.[0]], ['1', '2']);
  assert.ok(rows[0]?.[1]?.includes('127.0.0.1:9') && rows[1]?.[1]?.includes(server.address));
  assert.match(rows[0]?.[2] ?? '', /^N\/A/);
  assert.match(rows[1]?.[2] ?? '', /^20\.5%/);
  for (const address of ['127.0.0.1:9', server.address]) assert.ok(html.includes(`href="http://${address}/monitor"`), address);
  assert.match(text.slice(text.indexOf('Managing')), /[Aa]verage[^0-9]*20\.5%/);
});

test('links are https when ssl is on, and the title is the configured one, as text', async (t) => {
  const other = await startProgram(t, {
    ssl: true,
    portRewrite: true,
    simulationServers: ['localhost/2000'],
    monitor: { title: '<b>Ours</b> & "theirs"' },
  });
  const html = await other.get('/monitor');
  assert.ok(html.includes('href="https://localhost/2000/monitor"'));
  assert.doesNotMatch(html, /<b>Ours/);
  assert.match(shown(html), /<b>Ours<\/b> & "theirs"/);
});

test('it is HTML, of this origin alone, for GET and HEAD', async () => {
  const { status, headers } = await rawRequest(scope, program.port, requestText('HEAD /monitor'));
  assert.equal(status, 200);
  assert.match(headers['content-type'] ?? '', /^text\/html; charset=utf-8$/i);
  assert.match(headers['content-security-policy'] ?? '', /default-src 'none'|default-src 'self'/);
  assert.equal((await rawRequest(scope, program.port, requestText('POST /monitor', 'Content-Length: 0'))).status, 405);
  const html = await program.get('/monitor');
  assert.doesNotMatch(html, /(?:src|href)="(?:https?:)?\/\/(?!127\.0\.0\.1)/);
});
