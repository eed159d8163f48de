/** The web servers that can stay in reverseProxy: where the site of each belongs, and what takes it into use. */
import { getServers } from 'node:dns';
import { CERTIFICATE_STEP, certbotCommands } from './certbot.ts';
import type { ReverseProxy } from './reverse-proxy.ts';
import { APACHE_MODULES, apacheSite, caddyfile, nginxSite } from './site-files.ts';

export type WebServerName = 'apache' | 'nginx' | 'caddy';

export interface Site {
  readonly path: string;
  readonly text: (reverseProxy: ReverseProxy) => string;
  /** Commands that enable it. */
  readonly enable: readonly string[];
  /** Command that loads a new certificate; absent: the web server gets and renews its own. */
  readonly reload?: string;
}

/** A heading and its commands. */
export type Step = readonly [heading: string, ...commands: string[]];

export const SITES: Readonly<Record<WebServerName, Site>> = {
  apache: {
    path: '/etc/apache2/sites-available/session-server.conf',
    text: apacheSite,
    enable: [
      `a2enmod ${APACHE_MODULES.join(' ')}`,
      'a2ensite session-server',
      'apachectl configtest && systemctl restart apache2',
    ],
    reload: 'systemctl reload apache2',
  },
  nginx: {
    path: '/etc/nginx/conf.d/session-server.conf',
    text: (reverseProxy) => nginxSite(reverseProxy, getServers()),
    enable: ['nginx -t && systemctl reload nginx'],
    reload: 'systemctl reload nginx',
  },
  caddy: {
    path: '/etc/caddy/Caddyfile',
    text: caddyfile,
    enable: ['caddy validate --config /etc/caddy/Caddyfile && systemctl reload caddy'],
  },
};

/**
 * The certificate comes first, through the web server as it is after its own installation: it rejects a site whose certificate is missing. Afterwards
 * the site itself serves the same folder to certbot.
 */
export function certificateSteps(name: WebServerName, server: string): readonly Step[] {
  const { reload } = SITES[name];
  if (reload === undefined) return [];
  return [[CERTIFICATE_STEP, ...certbotCommands({ server, webroot: '/var/www/html', deployHook: reload })]];
}

export function enableStep(name: WebServerName): Step {
  return [`enable the ${name} site`, ...SITES[name].enable];
}

/** Numbered, for people who copy the commands. */
export function stepLines(steps: readonly Step[]): string[] {
  return steps.map(([heading, ...commands], i) =>
    [`${i + 1}. ${heading}:`, ...commands.map((line) => `     ${line}`)].join('\n'),
  );
}
