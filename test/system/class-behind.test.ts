/** A class by repository behind Apache with the rewrite rules that sites of the original have. They name every path, and `/c/` is not among them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { hashOf } from '../../src/config/token.ts';
import { makeCertificate } from '../support/certificate.ts';
import { ClientSocketServer } from '../support/client-socket-server.ts';
import { eventually, inTime } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startProgram, temporary } from '../support/start-program.ts';
import { apache, startWebServer } from './web-server.ts';

const TOKEN = 'sst_of-the-class';
const WORLD = '/blob/main/worlds/world.wbt';
const SEATS = 4;

/** The rules of the original, with this port for 1999. */
function originalSite(port: number, httpsPort: number, tls: { readonly cert: string; readonly key: string }): string {
  return `<VirtualHost *:${httpsPort}>
  ServerName localhost
  SSLEngine on
  SSLCertificateFile ${tls.cert}
  SSLCertificateKeyFile ${tls.key}
  RewriteEngine on
  RewriteCond %{HTTP:Upgrade} websocket [NC]
  RewriteCond %{HTTP:Connection} upgrade [NC]
  RewriteRule ^/(\\d*)/(.*)$ "ws://localhost:$1/$2" [P,L]
  RewriteRule ^/load$ "http://localhost:${port}/load" [P,L]
  RewriteRule ^/monitor$ "http://localhost:${port}/monitor" [P,L]
  RewriteRule ^/session$ "http://localhost:${port}/session" [P,L]
  RewriteRule ^/(\\d*)/(.*)$ "http://localhost:$1/$2" [P,L]
</VirtualHost>
`;
}

test('unmodified clients take the seats of their class, and others do not', async (t) => {
  const { cert, key } = makeCertificate({ names: ['localhost'] });
  const tls = { cert: join(temporary(t), 'cert.pem'), key: join(temporary(t), 'key.pem') };
  writeFileSync(tls.cert, cert);
  writeFileSync(tls.key, key);
  const ports = { http: await freePort(), https: await freePort() };
  const server = await ClientSocketServer.start(t, { host: 'localhost' });
  const site = `localhost:${ports.https}`;
  const program = await startProgram(
    t,
    {
      ...{ ssl: true, portRewrite: true, simulationServers: [`${site}/${server.port}`] },
      admin: { tokens: [{ name: 'ada', hash: hashOf(TOKEN) }] },
    },
    { env: { NODE_EXTRA_CA_CERTS: tls.cert } },
  );
  await startWebServer(t, apache, originalSite(program.port, ports.https, tls), ports);
  const get = (path: string): Promise<string> =>
    inTime(
      `an answer to ${path}`,
      new Promise((resolve, reject) => {
        const sent = request(`https://${site}${path}`, { ca: cert, agent: false }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => (body += text));
          response.once('end', () => resolve(body));
        });
        sent.once('error', reject).end();
      }),
    );
  await eventually('the load', async () => (await get('/load')) === '10');

  const wish = { match: 'project', project: 'https://github.com/owner/robots', seats: SEATS, minutes: 60 };
  const made = await fetch(`${program.url}/api/v1/reservations`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...wish, start: Date.now() / 1000 + 60 }),
  });
  assert.equal(made.status, 201);
  const { path } = (await made.json()) as { readonly path: string };

  const stranger = `/session?url=https://github.com/other/project${WORLD}`;
  let refused = await get(stranger);
  while (refused.startsWith('wss:')) refused = await get(stranger);
  assert.match(refused, /^Error: .*held for a class/);
  for (let student = 0; student < SEATS; student += 1) {
    const url = await get(`/session?url=https://github.com/owner/robots${WORLD}`);
    assert.equal(url, `wss://${site}/${server.port}`);
    const socket = new WebSocket(`${url}/client`, { ca: cert });
    t.after(() => socket.terminate());
    const said = await inTime(
      'a message',
      new Promise<Buffer>((done, failed) => socket.once('error', failed).once('message', done)),
    );
    assert.equal(said.toString('utf8'), 'loading: /client');
  }
  assert.match(await get(`${path}/session`), /404 Not Found/, 'a code would need a rule of its own');
});
