/** Facts that only the running session server knows: the limits of its process, and the servers that registered themselves. */
import type { Settings } from '../../config/settings.ts';
import { parseEndpoint, type Endpoint } from '../../core/fleet/endpoint.ts';
import { isCertificateRefused, reason } from './reason.ts';

export interface Running {
  /** Maximum number of file descriptors of its process; `undefined` if unknown. */
  readonly descriptors: number | undefined;
  readonly servers: readonly Endpoint[];
}

export type RunningResult =
  | { readonly kind: 'running'; readonly running: Running }
  /** It runs, and this needs a token. */
  | { readonly kind: 'closed' }
  /** `reason`: why it does not answer. `hidden`: it may run behind a certificate that is not accepted. */
  | { readonly kind: 'silent'; readonly reason: string; readonly hidden: boolean };

const LIMIT = /^session_server_file_descriptors_limit (\d+)$/m;

/** At the site; else at its own port on this machine, which answers when the reverse proxy does not. */
export async function askRunning(url: URL, settings: Settings, timeout: number): Promise<RunningResult> {
  const reasons: string[] = [];
  let hidden = true;
  for (const origin of [url.origin, ...(settings.port === 0 ? [] : [ownOrigin(settings)])]) {
    const result = await ask(origin, timeout);
    if (result.kind !== 'silent') return result;
    reasons.push(`${origin}: ${result.reason}`);
    hidden &&= result.hidden;
  }
  return { kind: 'silent', reason: reasons.join('; '), hidden };
}

/** The program's own address on this machine. */
export function ownOrigin({ listen, port }: Pick<Settings, 'listen' | 'port'>): string {
  const everywhere = listen === '::' || listen === '0.0.0.0';
  const host = everywhere ? '127.0.0.1' : listen.includes(':') ? `[${listen}]` : listen;
  return `http://${host}:${port}`;
}

async function ask(origin: string, timeout: number): Promise<RunningResult> {
  try {
    const [metrics, servers] = await Promise.all(
      ['/metrics', '/api/v1/servers'].map(async (path) => {
        const response = await fetch(origin + path, { redirect: 'manual', signal: AbortSignal.timeout(timeout * 1000) });
        return { status: response.status, text: await response.text() };
      }),
    );
    const status = [metrics, servers].find((answer) => answer?.status !== 200)?.status;
    if (status === 401 || status === 403) return { kind: 'closed' };
    if (metrics === undefined || servers === undefined || status !== undefined)
      return { kind: 'silent', reason: `it answers status ${status ?? 0}`, hidden: false };
    const limit = LIMIT.exec(metrics.text)?.[1];
    return {
      kind: 'running',
      running: { descriptors: limit === undefined ? undefined : Number(limit), servers: endpointsOf(servers.text) },
    };
  } catch (error) {
    const words = error instanceof SyntaxError ? 'another program answers' : reason(error);
    return { kind: 'silent', reason: words, hidden: isCertificateRefused(error) };
  }
}

function endpointsOf(text: string): Endpoint[] {
  const { servers } = JSON.parse(text) as { readonly servers?: unknown };
  if (!Array.isArray(servers)) throw new SyntaxError('no list of servers');
  return servers.flatMap((server: { readonly address?: unknown }) => {
    const read = parseEndpoint(String(server.address));
    return read.kind === 'endpoint' ? [read.endpoint] : [];
  });
}
