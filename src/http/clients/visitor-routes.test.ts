import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { buildWeb } from '../../../scripts/build-web.mjs';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { textsFor } from '../../core/languages/languages.ts';
import { renderLandingPage, renderSessionPage } from '../../web/visitors/render.ts';
import { meantBySession } from '../../core/views/through-session.ts';
import { readPageAssets } from '../server/page-assets.ts';
import { createVisitorPages, createVisitorRoutes } from './visitor-routes.ts';

const FULL = { open: false, places: 0, waiting: 3, machines: 5, silent: 1, drained: 0 };
const EMPTY = { open: false, places: 0, waiting: 0, machines: 0, silent: 0, drained: 0 };

async function start(t: Parameters<typeof temporaryFolder>[0], fleet = FULL) {
  const folder = await temporaryFolder(t);
  await buildWeb(folder, ['visitors', 'viewer']);
  const options = {
    assets: { visitors: await readPageAssets(folder, 'visitors'), viewer: await readPageAssets(folder, 'viewer') },
    render: { landing: renderLandingPage, session: renderSessionPage },
    ...{ site: () => 'Robots <here>', isReader: () => false, hasTokens: () => true, demo: false },
    fleet: () => state.fleet,
    languages: () => ({ it: { start: 'Avvia' } }),
  };
  const state = { fleet };
  const pages = createVisitorPages(options);
  const routes = createVisitorRoutes(options, pages);
  routes.get('/', pages.landing);
  routes.get('/session', pages.session);
  const get = async (path: string, language = 'en') => {
    const answer = await routes.request(path, { headers: { 'Accept-Language': language, 'Accept-Encoding': 'br' } });
    return { answer, html: answer.headers.get('Content-Encoding') === null ? await answer.clone().text() : '' };
  };
  return { get, routes, state };
}

test('the pages are served in the language of the browser, and may connect to any simulation server but load nothing', async (t) => {
  const { get, routes } = await start(t);
  const { answer, html } = await get('/view', 'fr');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('Vary'), 'Accept, Accept-Language');
  const policy = answer.headers.get('Content-Security-Policy') ?? '';
  assert.match(policy, /^default-src 'none'; script-src 'self'; .*connect-src 'self' ws: wss:;/);
  assert.match(html, /<html lang="fr" dir="ltr">/);
  const [, json = ''] = /<script type="application\/json" id="texts">([^<]+)<\/script>/.exec(html) ?? [];
  assert.deepEqual(JSON.parse(json), textsFor('fr'));
  assert.match((await get('/', 'it')).html, /<html lang="it".*>Avvia<|>Wait in line</s);

  const refused = await routes.request('/view', { method: 'POST' });
  assert.deepEqual([refused.status, refused.headers.get('Allow')], [405, 'GET, HEAD']);
});

test('a page that waits weighs less than 30 kB, and the viewer is loaded only when a session starts', async (t) => {
  const { get } = await start(t);
  const { html } = await get('/session');
  const files = [...html.matchAll(/(?:src|href|data-viewer)="(session\?\/view\/[^"]+)"/g)].map(([, url = '']) => url);
  assert.equal(files.length, 4);
  const sizes = new Map<string, number>();
  for (const url of files) {
    const { answer } = await get(meantBySession(`/${url}`) ?? '');
    assert.match(answer.headers.get('Cache-Control') ?? '', /immutable/);
    const bytes = Buffer.from(await answer.arrayBuffer());
    sizes.set(url.replace(/^.*\/|\?.*$/g, ''), bytes.length);
    assert.ok(brotliDecompressSync(bytes).length > 1000, url);
  }
  const viewer = sizes.get('viewer.js') ?? Infinity;
  const total = [...sizes.values()].reduce((sum, size) => sum + size, brotliCompressSync(html).length);
  assert.ok(total - viewer < 30_000, String(total - viewer));
  assert.ok(total < 150_000, String(total));
});

test('without a script, each page says whether a session can start, and what to do', async (t) => {
  const { get, state } = await start(t);
  const shown = async (path: string) => (await get(path)).html.replace(/<script[^]*?<\/script>/g, '');
  for (const path of ['/', '/session']) assert.match(await shown(path), /All places are taken\./, path);
  assert.match(await shown('/'), /<form action="session"/);
  assert.match(await shown('/session'), /<noscript>.*needs JavaScript/);
  state.fleet = EMPTY;
  assert.match(await shown('/'), /There are no machines here yet\..*session-server demo/);
});

test('what others wrote is shown as text: the name of the site, and the address of a project', async (t) => {
  const { get } = await start(t);
  const { html } = await get(`/session?url=${encodeURIComponent('https://x.test/<img src=x onerror=alert(1)>')}`);
  assert.ok(html.includes('<code>https://x.test/&lt;img src=x onerror=alert(1)></code>'), html);
  assert.match((await get('/')).html, /<span class="site">Robots &lt;here><\/span>/);
});
