import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Answers } from './configuration-file.ts';
import { nextSteps } from './next-steps.ts';
import { systemdUnit } from './systemd-unit.ts';

const written = {
  configuration: '/etc/session-server/session.json',
  unit: '/etc/systemd/system/session-server.service',
  hook: '/etc/session-server/deploy-certificate',
};

function stepsWith(changed: Partial<Answers>): string {
  const answers: Answers = { server: 'w.example.org', reverseProxy: 'gateway', simulationServers: [], routes: {}, port: 1999 };
  return nextSteps({ ...answers, ...changed }, written);
}

describe('the remaining steps', () => {
  for (const [reverseProxy, service] of [
    ['apache', 'apache2'],
    ['nginx', 'nginx'],
  ] as const)
    test(`with ${reverseProxy}: the certificate comes before the site, and ${service} is reloaded at each renewal`, () => {
      const text = stepsWith({ reverseProxy });
      const certificate = text.indexOf(
        `certbot certonly --webroot -w /var/www/html -d w.example.org --key-type ecdsa --deploy-hook 'systemctl reload ${service}'`,
      );
      const site = text.indexOf(`session-server setup ${reverseProxy} ${written.configuration}`);
      const enabled = text.search(/configtest|nginx -t/);
      assert.ok(certificate > 0 && certificate < site && site < enabled, text);
    });

  test('with Caddy: no certificate, because it gets its own; the Caddyfile that it came with is replaced', () => {
    const text = stepsWith({ reverseProxy: 'caddy' });
    assert.doesNotMatch(text, /certbot/);
    assert.match(text, /setup caddy \S+ --force\n[\s\S]*caddy validate/);
  });

  test('with the gateway: an ECDSA certificate, by the hook that gives it to the session server', () => {
    const text = stepsWith({});
    assert.match(text, /ECDSA/);
    assert.match(
      text,
      /certbot certonly --webroot -w \/var\/lib\/session-server\/acme -d w\.example\.org --key-type ecdsa --deploy-hook \/etc\/session-server\/deploy-certificate$/m,
    );
  });

  test('without a reverse proxy: no certificate, and the port that was chosen in each address', () => {
    const text = stepsWith({ reverseProxy: 'none', port: 2999, registrationToken: 'secret-secret-secret' });
    assert.doesNotMatch(text, /certbot|1999|https/);
    assert.match(text, /doctor http:\/\/w\.example\.org:2999 /);
    assert.match(text, /"http:\/\/w\.example\.org:2999\/register\/secret-secret-secret"/);
  });

  test('the group that is made is the one that the unit gives to the program', () => {
    const unit = systemdUnit({
      ...{ node: '/usr/bin/node', program: '/opt/session-server/bin/session-server.mjs' },
      ...{ configuration: written.configuration, lowPorts: true },
    });
    const group = /^SupplementaryGroups=(\S+)$/m.exec(unit)?.[1] ?? assert.fail(unit);
    const text = stepsWith({});
    assert.match(text, new RegExp(`groupadd --system --force ${group}$`, 'm'));
    assert.match(text, new RegExp(`chgrp ${group} ${written.configuration}$`, 'm'));
  });
});

test('the commands are those of the installation guide', () => {
  const folder = join(import.meta.dirname, '..', '..', '..', 'docs', 'how-to');
  const pages = ['install.md', 'reverse-proxies.md'].map((name) => readFileSync(join(folder, name), 'utf8'));
  const guide = pages.join('\n').replaceAll(/ \\\n +/g, ' ');
  for (const reverseProxy of ['gateway', 'apache'] as const) {
    const text = nextSteps(
      { server: 'webots.example.org', reverseProxy, simulationServers: [], routes: {}, port: 1999 },
      written,
    );
    const commands = [...text.matchAll(/^ {5}(.*)$/gm)].map(([, command = '']) => command);
    // The step that enables the site is printed a second time with the site itself; the guide leaves it to that.
    for (const command of commands.filter((command) => !/^(?:a2en|apachectl|session-server doctor)/.test(command)))
      assert.ok(guide.includes(`\nsudo ${command}\n`), command);
  }
});
