import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { buildWeb } from '../../../scripts/build-web.mjs';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { readClientAssets } from '../server/page-assets.ts';
import { createClientRoutes } from './client-routes.ts';

test('pages of any origin may load the client package, which is small and can be cached', async (t) => {
  const folder = await temporaryFolder(t);
  // Throws when one is too large.
  const [client, button] = await buildWeb(folder, ['client']);
  assert.ok(client !== undefined && button !== undefined);
  assert.ok(client.gzip <= 3000 && client.gzip + button.gzip <= 4500, `${client.gzip} + ${button.gzip} bytes`);
  const routes = createClientRoutes(await readClientAssets(folder));
  for (const path of ['/client/v1.js', '/client/v1-button.js']) {
    const answer = await routes.request(path, { headers: { 'Accept-Encoding': 'gzip' } });
    const header = (name: string) => answer.headers.get(name) ?? '';
    assert.equal(answer.status, 200);
    assert.match(header('Content-Type'), /^text\/javascript/);
    assert.equal(header('Access-Control-Allow-Origin'), '*');
    assert.equal(header('Cross-Origin-Resource-Policy'), 'cross-origin');
    assert.equal(header('X-Content-Type-Options'), 'nosniff');
    assert.match(header('Cache-Control'), /^public, max-age=3600/);
    assert.match(gunzipSync(Buffer.from(await answer.arrayBuffer())).toString(), /export\{/);
    const again = await routes.request(path, { headers: { 'If-None-Match': header('ETag') } });
    assert.deepEqual([again.status, again.headers.get('Access-Control-Allow-Origin')], [304, '*']);
    assert.equal((await routes.request(path, { method: 'POST' })).status, 405);
  }
  const text = await (await routes.request('/client/v1-button.js')).text();
  assert.match(text, /from"\.\/v1\.js"/, 'a page that uses both loads the client once');
});
