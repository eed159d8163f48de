import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliDecompressSync } from 'node:zlib';
import { buildWeb } from '../../../scripts/build-web.mjs';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { renderViewerPage } from '../../web/viewer/render.ts';
import { readPageAssets } from '../server/page-assets.ts';
import { createViewerPage, createViewerRoutes } from './viewer-routes.ts';

test('the viewer is served in the language of the browser, and may connect to any simulation server but load nothing', async (t) => {
  const folder = await temporaryFolder(t);
  await buildWeb(folder, ['viewer']);
  const options = { assets: await readPageAssets(folder, 'viewer'), render: renderViewerPage };
  const routes = createViewerRoutes(options, createViewerPage(options));
  const page = await routes.request('/view', { headers: { 'Accept-Language': 'fr' } });
  assert.equal(page.status, 200);
  assert.equal(page.headers.get('Vary'), 'Accept, Accept-Language');
  const policy = page.headers.get('Content-Security-Policy') ?? '';
  assert.match(policy, /^default-src 'none'; script-src 'self'; .*connect-src 'self' ws: wss:;/);
  const html = await page.text();
  assert.match(html, /<html lang="fr">/);

  const [, script = ''] = /<script type="module" src="([^"]+)"/.exec(html) ?? [];
  const asset = await routes.request(script.replace('monitor?', ''), { headers: { 'Accept-Encoding': 'br' } });
  assert.equal(asset.status, 200);
  assert.match(asset.headers.get('Cache-Control') ?? '', /immutable/);
  assert.ok(brotliDecompressSync(Buffer.from(await asset.arrayBuffer())).length > 100_000);

  const refused = await routes.request('/view', { method: 'POST' });
  assert.deepEqual([refused.status, refused.headers.get('Allow')], [405, 'GET, HEAD']);
});
