/**
 * The proxies for outgoing requests, as the environment names them for all programs of the machine: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`. As in curl, the
 * names in small letters come first.
 */
import type { OutgoingProxies } from '../ports.ts';

export interface ReadProxies {
  /** Absent: connections are direct. */
  readonly proxies?: OutgoingProxies | undefined;
  /** Sentences about variables that are ignored. */
  readonly problems: readonly string[];
}

export function readOutgoingProxies(env: Readonly<Record<string, string | undefined>>): ReadProxies {
  const [http, https] = (['HTTP_PROXY', 'HTTPS_PROXY'] as const).map((name) => readProxy(name, valueOf(env, name)));
  const problems = [http, https].flatMap((read) => read?.problem ?? []);
  if (http?.url === undefined && https?.url === undefined) return { problems };
  const proxies = { http: http?.url, https: https?.url, except: valueOf(env, 'NO_PROXY') ?? '' };
  return { proxies, problems };
}

function valueOf(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const value = (env[name.toLowerCase()] ?? env[name])?.trim();
  return value === '' ? undefined : value;
}

/** The value may contain a password, so a problem does not repeat it. */
function readProxy(name: string, value: string | undefined): { readonly url?: string; readonly problem?: string } {
  if (value === undefined) return {};
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return { url };
  return {
    problem: `the variable ${name} is ignored, because it is not the URL of an HTTP proxy such as http://proxy.example.org:3128`,
  };
}
