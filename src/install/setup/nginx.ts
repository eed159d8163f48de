/**
 * A site of nginx that passes on to the fleet and to the session server. What a request asks for is taken from the line it was asked with, letter for letter
 * (`$request_uri`): a path that nginx decodes and encodes again is not always the same path.
 */
import { CONNECT_TIMEOUT, IDLE_TIMEOUT, urlHost, type ReverseProxy } from './reverse-proxy.ts';
import { portPattern } from './port-pattern.ts';

/** `nameservers`: of this machine; nginx itself has to look up hosts that are names. */
export function nginxSite({ server, port, routes, tls, listen }: ReverseProxy, nameservers: readonly string[]): string {
  // nginx asks name servers and never /etc/hosts.
  const hosts = routes.map(({ host }) => (host === 'localhost' ? '127.0.0.1' : urlHost(host)));
  const named = hosts.some((host) => !/^(?:[0-9.]+|\[.*\])$/.test(host));
  const lines = [
    `# ${server}: the front of the session server.`,
    '',
    '# The machine that has the port in the path; ports of no machine lead nowhere.',
    'map $request_uri $simulation_server {',
    '  default "";',
    ...routes.map(({ first, last }, i) => {
      const name = `port${i}`;
      return `  "~^/(?<${name}>${portPattern(first, last)})(?:[/?]|$)" "${hosts[i] ?? ''}:$${name}";`;
    }),
    '}',
    '# What stands after the port.',
    'map $request_uri $simulation_path {',
    '  default "/";',
    '  "~^/[0-9]+(?<after_port>/.*)$" $after_port;',
    '  "~^/[0-9]+(?<query_after_port>\\?.*)$" "/$query_after_port";',
    '}',
    'map $http_upgrade $session_connection {',
    '  default "upgrade";',
    '  "" "close";',
    '}',
    '',
  ];
  if (tls !== undefined)
    lines.push(
      'server {',
      `  listen ${listen.http};`,
      `  listen [::]:${listen.http};`,
      `  server_name ${server};`,
      '  # certbot answers its challenges from here (certbot certonly --webroot -w /var/www/html).',
      '  location /.well-known/acme-challenge/ { root /var/www/html; }',
      `  location / { return 308 https://${server}${listen.https === 443 ? '' : `:${listen.https}`}$request_uri; }`,
      '}',
      '',
    );
  const own = tls === undefined ? `${listen.http}` : `${listen.https} ssl`;
  lines.push(
    'server {',
    `  listen ${own};`,
    `  listen [::]:${own};`,
    `  server_name ${server};`,
    ...(tls === undefined
      ? []
      : [
          `  ssl_certificate ${quoted(tls.cert)};`,
          `  ssl_certificate_key ${quoted(tls.key)};`,
          '  ssl_protocols TLSv1.2 TLSv1.3;',
        ]),
    ...(named ? [`  resolver ${nameservers.map(urlHost).join(' ')} valid=30s;`] : []),
    '',
    '  proxy_http_version 1.1;',
    '  proxy_set_header Host $host;',
    '  proxy_set_header Upgrade $http_upgrade;',
    '  proxy_set_header Connection $session_connection;',
    '  # Who asks is what nginx saw, not what the client says of itself.',
    '  proxy_set_header X-Forwarded-For $remote_addr;',
    '  proxy_set_header X-Forwarded-Proto $scheme;',
    '  proxy_set_header X-Forwarded-Host $host;',
    '  proxy_set_header Forwarded "";',
    `  proxy_connect_timeout ${CONNECT_TIMEOUT}s;`,
    '  # Simulations that stand still are silent for long.',
    `  proxy_read_timeout ${IDLE_TIMEOUT}s;`,
    `  proxy_send_timeout ${IDLE_TIMEOUT}s;`,
    '  # The monitor page listens to a stream of events.',
    '  proxy_buffering off;',
    '  # How much may be sent is decided by who gets it, and it is not gathered here before.',
    '  client_max_body_size 0;',
    '  proxy_request_buffering off;',
    '',
    '  location ~ ^/[0-9] {',
    '    if ($simulation_server = "") { return 404; }',
    '    proxy_pass http://$simulation_server$simulation_path;',
    '  }',
    `  location / { proxy_pass http://127.0.0.1:${port}; }`,
    '}',
    '',
  );
  return lines.join('\n');
}

function quoted(path: string): string {
  return `"${path.replace(/["\\$]/g, '\\$&')}"`;
}
