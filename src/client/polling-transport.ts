/** `POST /api/v1/sessions`, then its ticket (docs/reference/http-api.md): for programs and networks without WebSockets, and for labels. */
import { parseMessage, type Message } from './message.ts';
import type { Place } from './place.ts';
import { sleep } from './sleep.ts';
import type { Transport } from './transport.ts';

/** Seconds between two requests, if the server says nothing. */
const PAUSE = 2;
/** The place was lost, because the computer was asleep or the server was restarted. */
const LOST_PLACE = ['unknown-ticket', 'lapsed'];

export const askByPolling: Transport = async (place, signal) => {
  const clientId = crypto.getRandomValues(new Uint32Array(4)).join('-');
  while (!signal.aborted) {
    const { token } = place;
    const message = await ask(place, clientId);
    if (typeof message === 'string') return place.heard ? 'lost' : message;
    if (place.isAbandoned) {
      // The request was on its way when it was given up.
      place.token ??= message['ticket'] as string | undefined;
      place.giveUp();
    } else if (token !== undefined && LOST_PLACE.includes(String(message['code']))) place.forget();
    else if (place.receive(message)) return 'settled';
    else await sleep((Number(message['askAgainSeconds']) || PAUSE) * 1000, signal);
  }
  return 'lost';
};

async function ask({ base, token, options }: Place, clientId: string): Promise<Message | 'lost' | 'absent'> {
  const { project, code, labels, ends } = options;
  const url = `${base}api/v1/sessions`;
  const body = JSON.stringify({ project, code, labels, ends, clientId, wait: true });
  const headers = { 'Content-Type': 'application/json' };
  try {
    const answer = await (token === undefined
      ? fetch(url, { method: 'POST', headers, body })
      : fetch(`${url}/${encodeURIComponent(token)}`));
    // A reverse proxy answers in HTML while the server restarts, and the original knows nothing of this path.
    if (!answer.headers.get('content-type')?.includes('json')) return answer.status < 500 ? 'absent' : 'lost';
    const seconds = Number(answer.headers.get('retry-after'));
    return { ...parseMessage(await answer.text()), ...(seconds > 0 && { retryAfter: seconds }) };
  } catch {
    // Browsers say the same of a server that is down and of the original, which refuses this request of another origin.
    return 'absent';
  }
}
