/** A place in line without a WebSocket: `POST /api/v1/sessions`, and polling with the ticket. Nothing here throws. */
import { readSessionMessage, type SessionMessage } from '../viewer/words.ts';

export type TicketAnswer =
  | { readonly kind: 'message'; readonly message: SessionMessage; /** Seconds. */ readonly again: number }
  /** The ticket has expired. */
  | { readonly kind: 'unknown' }
  /** No answer, or one that a reverse proxy wrote. */
  | { readonly kind: 'nothing' };

const NOTHING: TicketAnswer = { kind: 'nothing' };
/** Seconds between two polls, where the answer does not say. */
const AGAIN = 2;

export function requestTicket(
  url: string,
  {
    project,
    code,
    clientId,
  }: { readonly project: string | undefined; readonly code: string | undefined; readonly clientId: string },
): Promise<TicketAnswer> {
  const body = JSON.stringify({
    wait: true,
    clientId,
    ...(project !== undefined && { project }),
    ...(code !== undefined && { code }),
  });
  return answerOf(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
}

export function pollTicket(url: string, ticket: string): Promise<TicketAnswer> {
  return answerOf(`${url}/${encodeURIComponent(ticket)}`, {});
}

/** `grace`: seconds for which it can still be continued. The request outlives the page; closing a connection alone would keep the place longer. */
export function giveUpTicket(url: string, ticket: string, grace = 0): void {
  const query = grace > 0 ? `?grace=${grace}` : '';
  void fetch(`${url}/${encodeURIComponent(ticket)}${query}`, { method: 'DELETE', keepalive: true }).catch(() => undefined);
}

async function answerOf(url: string, request: RequestInit): Promise<TicketAnswer> {
  try {
    const response = await fetch(url, request);
    const body = (await response.json()) as Readonly<Record<string, unknown>>;
    if (body['code'] === 'unknown-ticket') return { kind: 'unknown' };
    // A server that is about to stop, or has just started.
    if (body['code'] === 'internal') return NOTHING;
    const message = readSessionMessage(
      JSON.stringify(response.ok ? { ...body, resumeToken: body['ticket'] } : { ...body, type: 'refused' }),
    );
    const isRefusal = message?.kind === 'refused' && typeof body['code'] !== 'string';
    if (message === undefined || isRefusal) return NOTHING;
    return { kind: 'message', message, again: Number(body['askAgainSeconds'] ?? AGAIN) };
  } catch {
    return NOTHING;
  }
}
