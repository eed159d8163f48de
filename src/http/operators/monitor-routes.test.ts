import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { DemoFleet } from '../../../test/support/monitor-source.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { buildWeb } from '../../../scripts/build-web.mjs';
import { renderSignInPage, renderMonitorPage } from '../../web/render.ts';
import { readPageAssets, type PageAssets } from '../server/page-assets.ts';
import { createMonitorRoutes } from './monitor-routes.ts';

const noBytes = new Uint8Array(0);
const asset = (name: string) => ({
  name,
  hash: `hash of ${name}`,
  type: 'text/plain',
  plain: noBytes,
  brotli: noBytes,
  gzip: noBytes,
});
const noAssets: PageAssets = { script: asset('monitor.js'), styles: asset('monitor.css') };

function setUp({ isReader = true, assets = noAssets } = {}) {
  const fleet = new DemoFleet({ servers: 3 });
  const clock = new FakeClock();
  let renderings = 0;
  const routes = createMonitorRoutes({
    source: fleet,
    clock,
    assets,
    pages: {
      monitor: (snapshot, files) => {
        renderings += 1;
        return renderMonitorPage(snapshot, files);
      },
      entrance: renderSignInPage,
    },
    access: { signInAt: () => undefined, isReader: () => isReader },
    title: () => 'Webots session server',
    hasTokens: () => true,
  });
  const get = async (path: string, headers: Record<string, string> = {}) => await routes.request(path, { headers });
  return { fleet, clock, routes, get, renderings: () => renderings };
}

test('a token in the URL of the page is refused, even when the page is open to all', async () => {
  for (const isReader of [true, false]) {
    const response = await setUp({ isReader }).get('/monitor?token=x');
    assert.equal(response.status, 400);
    assert.equal(((await response.json()) as { code: string }).code, 'token-in-query');
  }
});

test('the page may load only its own files, and no other site may frame it', async () => {
  const { get } = setUp();
  const response = await get('/monitor');
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('Content-Type'), 'text/html; charset=utf-8');
  const policy = response.headers.get('Content-Security-Policy') ?? '';
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  const html = await response.text();
  assert.doesNotMatch(html, /<script(?![^>]* src=)/, 'no script in the page itself');
  assert.doesNotMatch(html, /\sstyle=|<style/, 'no style in the page itself');
  assert.doesNotMatch(html, /\son[a-z]+=/, 'no handler in the page itself');
  const loaded = [...html.matchAll(/<(?:script|link|img|iframe)[^>]*(?:src|href)="([^"]*)"/g)].map(
    ([, address]) => address ?? '',
  );
  assert.ok(loaded.length >= 3);
  for (const address of loaded) assert.match(address, /^(monitor\?\/monitor\/|data:)/);
});

test('HEAD is answered like GET, other methods are not', async () => {
  const { routes } = setUp();
  const head = await routes.request('/monitor', { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
  const post = await routes.request('/monitor', { method: 'POST' });
  assert.deepEqual([post.status, post.headers.get('Allow')], [405, 'GET, HEAD']);
});

test('the page is compressed as the client can read it', async () => {
  const { get } = setUp();
  const plain = await (await get('/monitor')).text();
  const brotli = await get('/monitor', { 'Accept-Encoding': 'gzip, deflate, br' });
  assert.equal(brotli.headers.get('Content-Encoding'), 'br');
  assert.equal(brotliDecompressSync(Buffer.from(await brotli.arrayBuffer())).toString(), plain);
  const gzipped = await get('/monitor', { 'Accept-Encoding': 'GZIP;q=0.5, br;q=0' });
  assert.equal(gzipped.headers.get('Content-Encoding'), 'gzip');
  assert.equal(gunzipSync(Buffer.from(await gzipped.arrayBuffer())).toString(), plain);
  assert.equal((await get('/monitor', { 'Accept-Encoding': 'zstd' })).headers.get('Content-Encoding'), null);
});

test('a hundred requests in a second render the page once', async () => {
  const { clock, fleet, get, renderings } = setUp();
  await Promise.all(Array.from({ length: 100 }, () => get('/monitor', { 'Accept-Encoding': 'br' })));
  assert.equal(renderings(), 1);
  fleet.set(fleet.ids[0] ?? '', { load: 77.7 });
  await clock.advance(1);
  assert.match(await (await get('/monitor')).text(), /77\.7%/);
  assert.equal(renderings(), 2);
});

test('a visitor without permission gets a form for the token, and no figures', async () => {
  const { get } = setUp({ isReader: false });
  const response = await get('/monitor');
  assert.equal(response.status, 401);
  const html = await response.text();
  assert.match(html, /<form method="post" action="monitor\?\/monitor\/enter">/);
  assert.doesNotMatch(html, /sim01/);
  assert.match(await (await get('/monitor?refused=token-wrong')).text(), /This token is not in/);
});

test('the files of the page are small, compressed beforehand, and cached indefinitely by browsers under their hash', async (t) => {
  const folder = await temporaryFolder(t);
  await buildWeb(folder, ['monitor']);
  const assets = await readPageAssets(folder, 'monitor');
  const { get } = setUp({ assets });
  let total = 0;
  for (const asset of [assets.script, assets.styles]) {
    const response = await get(`/monitor/${asset.name}?v=${asset.hash}`, { 'Accept-Encoding': 'br' });
    const bytes = Buffer.from(await response.arrayBuffer());
    total += bytes.length;
    assert.deepEqual(brotliDecompressSync(bytes), Buffer.from(asset.plain));
    assert.match(response.headers.get('Cache-Control') ?? '', /immutable/);
    assert.match((await get(`/monitor/${asset.name}?v=old`)).headers.get('Cache-Control') ?? '', /^no-cache$/);
    const gzipped = await get(`/monitor/${asset.name}`, { 'Accept-Encoding': 'gzip' });
    assert.deepEqual(gunzipSync(Buffer.from(await gzipped.arrayBuffer())), Buffer.from(asset.plain));
    assert.equal((await get(`/monitor/${asset.name}`, { 'If-None-Match': `"${asset.hash}"` })).status, 304);
  }
  assert.ok(total <= 100_000, `${total} bytes`);
  assert.match(await (await get('/monitor')).text(), new RegExp(`src="monitor\\?/monitor/monitor.js\\?v=${assets.script.hash}"`));
});

test('a page that was not built is reported as such', async (t) => {
  await assert.rejects(readPageAssets(await temporaryFolder(t), 'monitor'), /build them with "npm run build"/);
});
