/** A Caddyfile (Caddy 2) that passes on to the fleet and to the session server. Caddy gets the certificate itself unless one is named, knows WebSockets and never ends a silent one. */
import { CONNECT_TIMEOUT, urlHost, type ReverseProxy } from './reverse-proxy.ts';
import { portPattern, portsInWords } from './port-pattern.ts';

export function caddyfile({ server, port, routes, tls, listen }: ReverseProxy): string {
  const site =
    tls === undefined ? `http://${server}:${listen.http}` : listen.https === 443 ? server : `${server}:${listen.https}`;
  return [
    `# ${server}: the front of the session server.`,
    `${site} {`,
    ...(tls?.own === true ? [`  tls ${quoted(tls.cert)} ${quoted(tls.key)}`] : []),
    ...routes.flatMap(({ first, last, host }, i) => [
      `  # ${portsInWords(first, last)} of ${host}.`,
      `  @simulation${i} path_regexp port${i} ^/(${portPattern(first, last)})(?:/.*)?$`,
      `  handle @simulation${i} {`,
      // Not `strip_prefix`, which merges slashes.
      '    uri path_regexp ^/[0-9]+ ""',
      `    reverse_proxy ${urlHost(host)}:{re.port${i}.1} {`,
      '      transport http {',
      `        dial_timeout ${CONNECT_TIMEOUT}s`,
      '      }',
      '    }',
      '  }',
    ]),
    '  # No other port leads anywhere.',
    '  @elsewhere path_regexp ^/[0-9]',
    '  handle @elsewhere {',
    '    respond 404',
    '  }',
    '  # Everything else is the session server itself.',
    '  handle {',
    `    reverse_proxy 127.0.0.1:${port} {`,
    '      # The monitor page listens to a stream of events.',
    '      flush_interval -1',
    '    }',
    '  }',
    '}',
    '',
  ].join('\n');
}

function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&')}"`;
}
