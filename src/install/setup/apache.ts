/** A site of Apache (2.4) that passes on to the fleet and to the session server. */
import { CONNECT_TIMEOUT, IDLE_TIMEOUT, urlHost, type ReverseProxy } from './reverse-proxy.ts';
import { portPattern, portsInWords } from './port-pattern.ts';

/** Modules that the site needs, for `a2enmod`. */
export const APACHE_MODULES = ['headers', 'proxy', 'proxy_http', 'proxy_wstunnel', 'rewrite', 'ssl'] as const;

export function apacheSite({ server, port, routes, tls, listen }: ReverseProxy): string {
  const site = `https://${server}${listen.https === 443 ? '' : `:${listen.https}`}`;
  const lines = [
    `# ${server}: the front of the session server.`,
    `# Needs: a2enmod ${APACHE_MODULES.filter((name) => name !== 'ssl' || tls !== undefined).join(' ')}`,
    '# Each open WebSocket keeps one of the workers of Apache, of which Debian and Ubuntu allow 150 (MaxRequestWorkers).',
    '',
  ];
  if (tls !== undefined)
    lines.push(
      `<VirtualHost *:${listen.http}>`,
      `  ServerName ${server}`,
      '  AllowEncodedSlashes NoDecode',
      '  RewriteEngine On',
      '  # certbot answers its challenges from /var/www/html (certbot certonly --webroot -w /var/www/html).',
      '  DocumentRoot /var/www/html',
      '  RewriteRule ^/\\.well-known/acme-challenge/ - [L]',
      '  # Everything else is sent to HTTPS, with its path letter for letter.',
      '  RewriteCond %{THE_REQUEST} "^\\S+ (/[^\\s?]*)"',
      `  RewriteRule ^ ${site}%1 [R=308,L,NE]`,
      `  RewriteRule ^ ${site}/ [R=308,L,NE]`,
      '</VirtualHost>',
      '',
    );
  lines.push(
    `<VirtualHost *:${tls === undefined ? listen.http : listen.https}>`,
    `  ServerName ${server}`,
    ...(tls === undefined
      ? []
      : [
          '  SSLEngine on',
          '  SSLProtocol all -SSLv3 -TLSv1 -TLSv1.1',
          `  SSLCertificateFile ${quoted(tls.cert)}`,
          `  SSLCertificateKeyFile ${quoted(tls.key)}`,
        ]),
    '',
    '  # Only what is named below is passed on; this is no open proxy.',
    '  ProxyRequests Off',
    '  ProxyPreserveHost On',
    `  # Simulations that stand still are silent for long.`,
    `  ProxyTimeout ${IDLE_TIMEOUT}`,
    '  # Who asks is what Apache saw, not what the client says of itself.',
    '  RequestHeader unset X-Forwarded-For early',
    '  RequestHeader unset X-Forwarded-Host early',
    '  RequestHeader unset Forwarded early',
    `  RequestHeader set X-Forwarded-Proto ${tls === undefined ? 'http' : 'https'}`,
    '',
    '  # A path is passed on as it was asked for, letter for letter: a decoded one that is encoded again is not always the same path.',
    '  AllowEncodedSlashes NoDecode',
    '  MergeSlashes Off',
    '  RewriteEngine On',
    ...routes.flatMap(({ first, last, host }) => [
      `  # ${portsInWords(first, last)} of ${host}.`,
      ...passOn(`/(${portPattern(first, last)})(?:/([^\\s?]*))?`, `${urlHost(host)}:%1/%2`),
    ]),
    '  # No other port leads anywhere.',
    '  RewriteRule ^/[0-9] - [R=404,L]',
    '  # Everything else is the session server itself.',
    ...passOn('/([^\\s?]*)', `127.0.0.1:${port}/%1`),
    '  # This is no proxy for other sites, and serves no files.',
    '  RewriteRule ^ - [R=400,L]',
    '',
    '  # A connection that is not taken is given up soon; one that was is kept.',
    `  <Proxy "http://127.0.0.1:${port}/">`,
    `    ProxySet connectiontimeout=${CONNECT_TIMEOUT} timeout=${IDLE_TIMEOUT} flushpackets=on`,
    '  </Proxy>',
    '</VirtualHost>',
    '',
  );
  return lines.join('\n');
}

/** Rules for the paths of this pattern; `%1` and so on stand in the target for its groups. The query stays as it is. */
function passOn(path: string, target: string): string[] {
  const asked = `  RewriteCond %{THE_REQUEST} "^\\S+ ${path}[ ?]"`;
  return [
    '  RewriteCond %{HTTP:Upgrade} ^websocket$ [NC]',
    asked,
    `  RewriteRule ^ ws://${target} [P,L,NE]`,
    asked,
    `  RewriteRule ^ http://${target} [P,L,NE]`,
  ];
}

function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&')}"`;
}
