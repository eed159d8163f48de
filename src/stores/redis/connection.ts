/** The connection to a Redis or Valkey: one for each replica, made again whenever it breaks or stops answering. */
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { withAdvice } from './failures.ts';

export interface RedisConnectionOptions {
  /** `redis://host:port/database`, `rediss://…`, or `unix:/path`. With `sentinels`, the host is the name of the set that they watch. */
  readonly url: string;
  /** `host:port` each. */
  readonly sentinels?: readonly string[] | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** PEM. */
  readonly tls?: TlsFiles | undefined;
  /** Bytes of an answer; default: more than all replicas write. */
  readonly maxAnswer?: number;
}

export interface TlsFiles {
  /** Certificates of authorities that are trusted. Absent: those of Node. */
  readonly authority?: string;
  /** Of this replica; the store may require one. */
  readonly certificate?: string;
  readonly key?: string;
}

/** Calls the store within `deadline` milliseconds. Throws an error with the code `store-unreachable`. */
export type Call = <T>(command: () => Promise<T>, deadline?: number) => Promise<T>;

/** Milliseconds. */
const DEADLINE = 1000;
const RECONNECT = 250;
/** Bytes of an answer: tens of thousands of tickets and bookings, and all documents. What is longer was not written by a session server. */
const MAX_ANSWER = 32 * 1024 * 1024;
const SENTINEL_PORT = 26379;

export function connect({ url, sentinels, user, password, tls }: RedisConnectionOptions): Redis {
  const secure = tls === undefined && !url.startsWith('rediss:') ? undefined : secureOptions(tls ?? {});
  const options = {
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ...(secure !== undefined && { tls: secure }),
    connectTimeout: DEADLINE,
    // A command that was not answered may have been done. Its sender decides whether to send it again.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    ...{ connectionName: 'session-server', disableClientInfo: true },
    retryStrategy: reconnectAfter,
    // It was demoted. After a failover, a new connection reaches the one that takes writes.
    reconnectOnError: ({ message }: Error) => message.includes('READONLY'),
  };
  if (url.startsWith('unix:')) return new Redis(url.slice('unix:'.length), options);
  if (sentinels === undefined) return new Redis(url, options);
  const { hostname, pathname } = new URL(url);
  return new Redis({
    ...options,
    ...{ name: hostname, db: Number(pathname.slice(1)), sentinels: sentinels.map(hostAndPort) },
    ...{ sentinelRetryStrategy: reconnectAfter, sentinelCommandTimeout: DEADLINE },
    ...(secure !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: secure }),
  });
}

function reconnectAfter(): number {
  return RECONNECT * (0.5 + Math.random());
}

function secureOptions({ authority, certificate, key }: TlsFiles) {
  return {
    ...(authority !== undefined && { ca: authority }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
  };
}

function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const [, host = text, port = SENTINEL_PORT] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(text) ?? [];
  return { host, port: Number(port) };
}

/** Gives every command a deadline. A connection that does not answer is replaced, because it may never answer. */
export function caller(redis: Redis, { maxAnswer = MAX_ANSWER }: Pick<RedisConnectionOptions, 'maxAnswer'>): Call {
  /** Why there is no connection, such as a wrong password; a command only says that there is none. */
  let disconnected: string | undefined;
  redis.on('error', ({ message }: Error) => (disconnected = message));
  redis.on('ready', () => (disconnected = undefined));
  const answered = limitAnswers(redis, maxAnswer, (reason) => (disconnected = reason));
  const ask = async <T>(command: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    if (redis.status !== 'ready') {
      if (disconnected !== undefined) throw new Error(disconnected);
      await once(redis, 'ready', { signal });
    }
    return command();
  };
  return async <T>(command: () => Promise<T>, deadline = DEADLINE): Promise<T> => {
    const ended = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        if (redis.status === 'ready') redis.disconnect(true);
        reject(new Error(`no answer within ${deadline / 1000} s`));
      }, deadline);
    });
    try {
      return await Promise.race([ask(command, ended.signal), late]);
    } catch (error) {
      // Not the error itself: it has the arguments of the command, among them passwords and resume tokens.
      const reason = disconnected ?? (error instanceof Error ? error.message : String(error));
      throw Object.assign(new Error(`the shared store cannot be used: ${withAdvice(reason)}`), { code: 'store-unreachable' });
    } finally {
      clearTimeout(timer);
      ended.abort();
      answered();
    }
  };
}

/** Breaks the connection when more arrives than a session server writes. Returns what is to be called when a command ended. */
function limitAnswers(redis: Redis, max: number, broken: (reason: string) => void): () => void {
  let received = 0;
  redis.on('connect', () => {
    received = 0;
    const { stream } = redis;
    stream.on('data', (bytes: Buffer) => {
      received += bytes.length;
      if (received <= max || stream.destroyed) return;
      broken(`it answers more than ${max / 1024 / 1024} MiB; another program writes under this prefix`);
      stream.destroy();
    });
  });
  return () => (received = 0);
}
