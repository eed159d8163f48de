/**
 * Connects to the mail server. The mail library would resolve the name itself, keep the answer for five minutes, and ask DNS alone, although the name may
 * be in /etc/hosts.
 */
import { connect, type LookupFunction, type Socket } from 'node:net';

export interface MailConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly lookup: LookupFunction;
  /** Seconds. */
  readonly patience: number;
}

/** Rejects with the error of the connection. The name is resolved again for each connection. */
export function connectToMailServer({ patience, ...target }: MailConnectionOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...target, noDelay: true });
    socket.setTimeout(patience * 1000, () => {
      socket.destroy(Object.assign(new Error('Connection timeout'), { code: 'ETIMEDOUT' }));
    });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}
