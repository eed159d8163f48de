/** How to fix a reverse proxy, by kind: the fix for Apache does not help if the gateway of this program is used. */
import type { Settings } from '../../config/settings.ts';

/** `unknown`: no configuration was given. */
export type LocalReverseProxy = 'gateway' | 'web-server' | 'unknown';

export function localReverseProxy(settings: Settings | undefined): LocalReverseProxy {
  if (settings === undefined) return 'unknown';
  return settings.gateway.enabled ? 'gateway' : 'web-server';
}

const WEB_SERVER = 'write its site again: session-server setup apache (or nginx, caddy)';

const FIXES = {
  /** It answers, but not like the session server. */
  answers: {
    gateway: 'find the program that has the port (ss -tlnp), stop it, and read the log of the session server',
    webServer: `forward everything but /PORT/… to the session server; ${WEB_SERVER}`,
  },
  /** It reports that the server behind it is unreachable. */
  unreachable: {
    gateway: 'something in between does not forward to the gateway: check it, and whether it uses the value of "gateway.port"',
    webServer:
      'the reverse proxy cannot reach the session server: start it, and compare "port" with the rules of the reverse proxy',
  },
  webSockets: {
    gateway:
      'something between the client and the gateway, such as a filter or a cache, does not forward WebSockets; read the log',
    webServer: `the reverse proxy does not forward WebSockets; ${WEB_SERVER}`,
  },
  load: {
    gateway:
      'if it answers directly, check that "gateway.routes" has its port with the right host, and read the log of the session server',
    webServer: `if it answers directly, the reverse proxy does not forward to it; ${WEB_SERVER}`,
  },
  clientSocket: {
    gateway:
      'if it opens directly, check that "gateway.routes" has its port with the right host, and read the log of the session server',
    webServer: `if it opens directly, the reverse proxy does not forward WebSockets to this port; ${WEB_SERVER}`,
  },
} as const;

export function proxyAdvice(reverseProxy: LocalReverseProxy, what: keyof typeof FIXES): string {
  const { gateway, webServer } = FIXES[what];
  if (reverseProxy === 'unknown') return `with a reverse proxy: ${webServer}. With the gateway: ${gateway}`;
  return reverseProxy === 'gateway' ? gateway : webServer;
}
