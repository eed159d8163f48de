/** Links between replicas, as WebSockets on the port that clients use. */
import { WebSocket, type RawData } from 'ws';
import type { Channel, ChannelEvents } from '../../engine/replicas/channel.ts';
import type { LeaderAddress } from '../../engine/replicas/leader-link.ts';
import { MAX_TEXT } from '../../engine/replicas/link-messages.ts';
import { startLoop } from '../../engine/loop.ts';
import type { Clock, Log } from '../../ports.ts';
import { LINK_PATH, linkHeaders } from './peer-requests.ts';

/** Another version of the messages has another name. */
export const LINK_PROTOCOL = 'session-server.replicas.v1';
/** For both sides. A character has up to three bytes. */
export const LINK_LIMITS = { maxPayload: 3 * MAX_TEXT, perMessageDeflate: false } as const;
/** Milliseconds that the leader has to answer. */
const DEADLINE = 1000;
/** Seconds between two pings; and how many of them a living replica leaves unanswered. */
const PING = 1;
const MAX_UNANSWERED = 3;
/** Bytes that the other side has not read. */
const MAX_UNREAD = 67_108_864;

export interface ChannelOptions {
  readonly clock: Clock;
  readonly log: Log;
}

/** `replica`: the id of this one. Throws if the leader does not answer in time, or refuses. */
export async function connectLink(
  { address, secret }: LeaderAddress,
  replica: string,
  options: ChannelOptions,
): Promise<Channel> {
  const socket = new WebSocket(`${address.replace(/^http/, 'ws')}${LINK_PATH}`, LINK_PROTOCOL, {
    ...{ ...LINK_LIMITS, handshakeTimeout: DEADLINE, followRedirects: false },
    headers: linkHeaders(replica, secret),
  });
  const channel = channelOf(socket, options);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return channel;
}

export function channelOf(socket: WebSocket, { clock, log }: ChannelOptions): Channel {
  /** What arrived before `receive`. */
  const early: string[] = [];
  let events: ChannelEvents | undefined;
  let unanswered = 0;
  const pinging = startLoop({
    clock,
    delay: PING,
    cycle() {
      if (unanswered >= MAX_UNANSWERED) socket.terminate();
      unanswered += 1;
      if (socket.readyState === socket.OPEN) socket.ping();
      return PING;
    },
    failed(error) {
      log.error('pinging a replica failed', { error });
      return PING;
    },
  });
  socket.on('pong', () => (unanswered = 0));
  socket.on('message', (data: RawData, isBinary: boolean) => {
    const text = isBinary ? '' : textOf(data);
    if (events === undefined) early.push(text);
    else events.text(text);
  });
  socket.once('close', () => {
    void pinging.stop();
    events?.ended();
  });
  // The close event follows.
  socket.on('error', () => undefined);
  return {
    send(text) {
      if (socket.bufferedAmount > MAX_UNREAD) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.send(text);
    },
    receive(receiver) {
      events = receiver;
      for (const text of early.splice(0)) receiver.text(text);
      if (socket.readyState === socket.CLOSED) receiver.ended();
    },
    end: () => socket.terminate(),
  };
}

function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString('utf8') : '';
}
