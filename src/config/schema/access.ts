/** Who may read the monitor, change the fleet, and connect from where. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { DEFAULT_QUOTA } from '../../core/reservations/quota.ts';
import { formatKey, type Problem, showValue } from '../problem.ts';
import { operatorsOrigin } from './operators-origin.ts';
import { count, text } from './values.ts';

const trustedProxies = z
  .array(
    z
      .string()
      .max(60)
      .refine(isNetwork, { message: 'write the address in figures; names are not looked up' })
      .meta({ expected: 'an IP address or a network such as "10.0.0.0/8"' }),
  )
  .max(1000)
  .default(['127.0.0.0/8', '::1/128'])
  .describe(
    'Addresses or networks whose `X-Forwarded-For` is trusted. Requests from this machine without that header are exempt from per-address limits.',
  )
  .meta({ expected: 'a list of addresses or networks such as ["10.0.0.0/8"]' });

const allowedOrigins = z
  .array(
    z
      .string()
      .max(300)
      .refine(isOrigin, { message: 'write scheme and host alone, such as "https://example.org"; to allow all, remove the key' })
      .meta({ expected: 'a web origin such as "https://example.org"' }),
  )
  .max(1000)
  .optional()
  .describe('Web origins, such as `https://example.org`, whose pages may open WebSockets.')
  .meta({ absent: 'all', expected: 'a list of web origins such as ["https://example.org"]' });

const projects = z
  .strictObject({
    otherHosts: z
      .array(
        z
          .string()
          .regex(/^[A-Za-z0-9.-]{1,253}$/)
          .meta({ expected: 'a host name such as "gitlab.example.org"' }),
      )
      .max(100)
      .default([])
      .describe('Hosts other than `github.com` that projects may come from.')
      .meta({ expected: 'a list of host names such as ["gitlab.example.org"]' }),
  })
  .prefault({})
  .describe('What clients may ask to run.');

const monitor = z
  .strictObject({
    title: text(200)
      .default('Webots session server')
      .describe('Name of the site: heading of the monitor page and of the home page.'),
    access: z
      .enum(['open', 'token'])
      .default('open')
      .describe('Read access to the monitor and the API: for everyone, or for holders of a token (`admin.tokens`).'),
    origin: operatorsOrigin,
  })
  .prefault({})
  .describe('The page at `/monitor`.');

const token = z.strictObject({
  name: text(60).describe('Name of the holder; it is logged with each action.'),
  hash: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .describe('The hash that `session-server token NAME` printed.')
    .meta({ secret: true, expected: '"sha256:" and 64 hexadecimal digits, as `session-server token NAME` prints them' }),
  readOnly: z.boolean().default(false).describe('The same as `"role": "reader"`.'),
  role: z
    .enum(['reader', 'teacher', 'operator'])
    .optional()
    .describe(
      '`reader` opens what `monitor.access` closes, for example for Prometheus, and cannot change anything. `teacher` reserves seats, and sees only their own reservations. `operator` may do everything.',
    )
    .meta({ absent: '`operator`, or `reader` with `readOnly`' }),
  quota: z
    .strictObject({
      seats: count(1, 10_000)
        .default(DEFAULT_QUOTA.seats)
        .describe('Seats that this teacher may have reserved at the same time.'),
      seatHoursPerWeek: count(1, 1_000_000)
        .default(DEFAULT_QUOTA.seatHoursPerWeek)
        .describe(
          'Seats times hours that this teacher may reserve in a week. Minutes before the start in which seats can be taken count if there are more than ten.',
        ),
      daysAhead: count(1, 1000).default(DEFAULT_QUOTA.daysAhead).describe('How many days ahead this teacher may reserve.'),
    })
    .prefault({})
    .describe('Limits of a token with `"role": "teacher"`.'),
});

const admin = z
  .strictObject({
    tokens: z
      .array(token)
      .max(1000)
      .default([])
      .describe('Access tokens of operators, teachers and readers. Empty: no operator actions and no reservations.')
      .meta({ expected: 'a list of objects with "name" and "hash"' }),
  })
  .prefault({})
  .describe('Access tokens, and what their holders may do.');

/** The keys of the top level that this section has. */
export const accessKeys = { trustedProxies, allowedOrigins, projects, monitor, admin };

interface Access {
  readonly monitor?: z.output<typeof monitor> | undefined;
  readonly admin?: z.output<typeof admin> | undefined;
}

export function checkTokens({ monitor, admin }: Access): Problem[] {
  const names = (admin?.tokens ?? []).map(({ name }) => name);
  const problems = names.flatMap((name, index): Problem[] => {
    if (names.indexOf(name) === index) return [];
    const fix = 'give each holder a separate name; the log cannot distinguish them';
    return [
      { key: formatKey(['admin', 'tokens', index, 'name']), value: showValue(name), expected: 'a name not used before', fix },
    ];
  });
  for (const [index, { role, readOnly }] of (admin?.tokens ?? []).entries())
    if (readOnly && role !== undefined && role !== 'reader')
      problems.push({
        key: formatKey(['admin', 'tokens', index, 'role']),
        value: showValue(role),
        expected: '"reader", because "readOnly" is true',
        fix: 'remove "readOnly"',
      });
  if (monitor?.access === 'token' && admin !== undefined && names.length === 0)
    problems.push({
      key: 'admin.tokens',
      value: 'an empty list',
      expected: 'at least one token, because "monitor.access" is "token"',
      fix: 'without a token the monitor cannot be read; create one with `session-server token NAME`',
    });
  return problems;
}

function isNetwork(value: string): boolean {
  const { host = '', prefix } = /^(?<host>[^/]+)(?:\/(?<prefix>[0-9]{1,3}))?$/.exec(value)?.groups ?? {};
  const family = isIP(host);
  return family !== 0 && (prefix === undefined || Number(prefix) <= (family === 4 ? 32 : 128));
}

function isOrigin(value: string): boolean {
  if (value === 'null') return true;
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/]+\/?$/i.test(value) || !URL.canParse(value)) return false;
  // Browsers send a full name, so an entry with a wildcard would match no page.
  if (value.includes('*')) return false;
  const { host, username, password, search, hash } = new URL(value);
  return host !== '' && `${username}${password}${search}${hash}` === '';
}
