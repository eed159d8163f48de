/** What to do about a front, by who it is: the fix for Apache helps nobody whose front is this program. */
import type { Settings } from '../../config/settings.ts';

/** `unknown`: no configuration was given. */
export type LocalReverseProxy = 'gateway' | 'web-server' | 'unknown';

export function localReverseProxy(settings: Settings | undefined): LocalReverseProxy {
  if (settings === undefined) return 'unknown';
  return settings.gateway.enabled ? 'gateway' : 'web-server';
}

const WEB_SERVER = 'write its rules anew: session-server setup apache (or nginx, caddy)';

const MENDS = {
  /** It answers, but not as the session server does. */
  answers: {
    gateway: 'see which program has the port (ss -tlnp), stop it, and look into the log of the session server',
    webServer: `everything but /PORT/… has to be passed on to the session server; ${WEB_SERVER}`,
  },
  /** It says that it reaches nobody behind it. */
  unreachable: {
    gateway: 'something between passes nothing on to the gateway: look there, and whether "gateway.port" is what it is told',
    webServer: 'the front cannot reach the session server: start it, and compare "port" with the rules of the front',
  },
  webSockets: {
    gateway:
      'something between the client and the gateway, such as a filter or a cache, passes no WebSockets on; look into the log',
    webServer: `the front does not pass WebSockets on; ${WEB_SERVER}`,
  },
  load: {
    gateway:
      'when it answers directly: is its port in "gateway.routes", for the right host? The log of the session server says more',
    webServer: `when it answers directly, it is the front that does not pass it on; ${WEB_SERVER}`,
  },
  clientSocket: {
    gateway:
      'when it opens directly: is its port in "gateway.routes", for the right host? The log of the session server says more',
    webServer: `when it opens directly, the front does not pass WebSockets on to this port; ${WEB_SERVER}`,
  },
} as const;

export function proxyAdvice(front: LocalReverseProxy, what: keyof typeof MENDS): string {
  const { gateway, webServer } = MENDS[what];
  if (front === 'unknown') return `with a web server in front: ${webServer}. With the gateway: ${gateway}`;
  return front === 'gateway' ? gateway : webServer;
}
