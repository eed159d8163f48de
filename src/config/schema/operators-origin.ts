/** The origin on which operators sign in. */
import { z } from 'zod';
import { type Problem, showValue } from '../problem.ts';

export const operatorsOrigin = z
  .string()
  .max(300)
  .refine(isSite, { message: 'write scheme, host and port alone, without a path' })
  .optional()
  .describe(
    'Origin on which operators sign in and act, such as `https://webots.example.org:8443`. No simulation server may be reachable there. See `docs/how-to/use-the-monitor.md`.',
  )
  .meta({
    absent: 'that of the site; each action needs the token again if simulation servers are there, too',
    expected: 'an origin such as "https://webots.example.org:8443"',
  });

interface Site {
  readonly server?: string | undefined;
  readonly ssl?: boolean | undefined;
  readonly monitor?: { readonly origin?: string | undefined } | undefined;
}

/** The origin must differ from the one that clients use. */
export function checkOperatorsOrigin({ server = '', ssl, monitor }: Site): Problem[] {
  const site = `${ssl === false ? 'http' : 'https'}://${server}`;
  if (monitor?.origin === undefined || !URL.canParse(site) || new URL(site).origin !== new URL(monitor.origin).origin) return [];
  return [
    {
      key: 'monitor.origin',
      value: showValue(monitor.origin),
      expected: 'another origin than that of the simulation servers',
      fix: 'use another host name or another port, such as :8443',
    },
  ];
}

function isSite(value: string): boolean {
  if (!/^https?:\/\/[^/?#@*]+\/?$/i.test(value) || !URL.canParse(value)) return false;
  return new URL(value).host !== '';
}
