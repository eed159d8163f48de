/** Several replicas of the session server for one fleet. */
import { z } from 'zod';
import { addressKind } from '../../core/fleet/ip-address.ts';
import { showValue, type Problem } from '../problem.ts';
import { path, text } from './values.ts';

export const replicas = z
  .strictObject({
    store: z
      .string()
      .max(500)
      .regex(/^(?:rediss?:\/\/[^\s@/]+(?:\/\d{0,5})?|unix:\/[^\s\x00]+)$/)
      .describe('The Redis or Valkey that the replicas share; `rediss` is TLS. Login and password have keys of their own.')
      .meta({
        restart: true,
        expected: 'a URL such as "redis://10.0.0.5:6379/0", "rediss://redis.example.org:6379" or "unix:/run/redis/redis.sock"',
      }),
    sentinels: z
      .array(z.string().regex(/^(?:[A-Za-z0-9._-]{1,200}|\[[0-9A-Fa-f:.]{2,50}\])(?::\d{1,5})?$/))
      .min(1)
      .max(20)
      .optional()
      .describe('Sentinels that know which Redis takes writes. `store` then names their set: `redis://mymaster/0`.')
      .meta({ restart: true, absent: 'none', expected: '1 to 20 addresses such as "10.0.0.5:26379"' }),
    user: text(200)
      .optional()
      .describe('User of the store (ACL).')
      .meta({ restart: true, absent: 'the default user of the store' }),
    password: text(1000)
      .optional()
      .describe('Password of the store. Better kept in a separate file: `passwordFile`.')
      .meta({ restart: true, secret: true, absent: 'none' }),
    passwordFile: path
      .optional()
      .describe('File that holds the password; the path is written as in `logDir`. A line break at its end is removed.')
      .meta({ restart: true, absent: 'none', expected: 'the path of a file' }),
    authority: path
      .optional()
      .describe('File of the certificate (PEM) that signed the one of the store, for `rediss`.')
      .meta({ restart: true, absent: 'public authorities', expected: 'the path of a file' }),
    certificate: path
      .optional()
      .describe('File of a certificate (PEM) of this replica, if the store requires one. It needs `key`.')
      .meta({ restart: true, absent: 'none', expected: 'the path of a file' }),
    key: path
      .optional()
      .describe('File of the private key (PEM) of `certificate`.')
      .meta({ restart: true, absent: 'none', expected: 'the path of a file' }),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,60}$/)
      .default('session-server')
      .describe('First part of all keys in the store. Another fleet in the same store needs another one.')
      .meta({ restart: true, expected: '1 to 60 letters, digits, dots and dashes' }),
    name: z
      .string()
      .regex(/^[\x21-\x7e]{1,100}$/)
      .optional()
      .describe('Name of this replica, for people.')
      .meta({ restart: true, absent: 'host name and port', expected: '1 to 100 printable characters without spaces' }),
    address: z
      .string()
      .max(200)
      .regex(/^https?:\/\/[^\s/?#@]+$/)
      .optional()
      .describe(
        'URL at which the other replicas reach this one. Followers need that of the leader to serve clients, and all need it to agree when the store does not answer.',
      )
      .meta({
        restart: true,
        absent: 'none: while it leads, followers serve no clients; when the store does not answer, the leader waits',
        expected: 'a URL such as "http://10.0.0.11:1999"',
      }),
    alone: z
      .enum(['continue', 'wait'])
      .default('continue')
      .describe('What the leader does when the store answers no replica: go on handing out sessions, or wait for the store.')
      .meta({ restart: true, expected: '"continue" or "wait"' }),
  })
  .describe('Several session servers for one fleet. See `docs/how-to/replicas.md`.');

/** What the program can run with, but hardly as it was meant. */
export function checkReplicas({ replicas: section }: { readonly replicas?: z.output<typeof replicas> | undefined }): Problem[] {
  if (section === undefined) return [];
  const { store, sentinels } = section;
  const key = 'replicas.store';
  const host = /^redis:\/\/\[?([^\]/]*?)\]?(?::\d+)?(?:\/|$)/.exec(store)?.[1] ?? '';
  if (addressKind(host) === 'public')
    return [
      {
        ...{ key, value: `${showValue(store)}, which sends passwords and places over the Internet as plain text` },
        ...{ expected: 'TLS, or a store in a private network', fix: 'use "rediss://"' },
      },
    ];
  if (sentinels === undefined || !store.startsWith('unix:')) return [];
  const expected = 'the name of the set that the sentinels watch, such as "redis://mymaster/0"';
  return [{ key, value: showValue(store), expected, fix: 'write the name, or remove "sentinels"' }];
}
