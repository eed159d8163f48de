/** E-mail notifications. */
import { z } from 'zod';
import { parseHostAndPort } from '../../core/fleet/host-and-port.ts';
import { type Problem, showValue } from '../problem.ts';
import { listenPort, text } from './values.ts';

/**
 * As the original takes them: `root` or `robot@localhost` is enough for a local mail server, and a name may precede an address in `< >`. Strict about
 * what could forge a header or name a second receiver.
 */
const MAILBOX = String.raw`[^\s\x00-\x1f\x7f@<>(),;:"\\]+(?:@[^\s\x00-\x1f\x7f@<>(),;"\\]+)?`;
const MAILBOX_NAME = String.raw`(?:"[^\x00-\x1f\x7f"\\]*"|[^\x00-\x1f\x7f@<>(),;:"\\]*)`;
const ADDRESS = `(?:${MAILBOX}|${MAILBOX_NAME} *<${MAILBOX}>)`;
const mailAddress = z
  .string()
  .max(320)
  .regex(new RegExp(`^${ADDRESS}$`))
  .meta({ expected: 'one e-mail address such as "admin@example.org"' });

const MAIL_ADDRESSES = 'e-mail addresses such as "admin@example.org" or ["a@example.org", "b@example.org"]';
/** Several receivers are a list, or one text with commas, as in the header of a message. */
const mailAddresses = z
  .union([
    z
      .string()
      .max(3200)
      .regex(new RegExp(`^${ADDRESS}(?: *, *${ADDRESS})*$`))
      .meta({ expected: MAIL_ADDRESSES }),
    z.array(mailAddress).min(1).max(20),
  ])
  .meta({ expected: MAIL_ADDRESSES });

const mailServerTls = z
  .boolean()
  .optional()
  .describe('`true`: TLS from the first byte (SMTPS). `false`: STARTTLS, with a password.')
  .meta({ absent: '`true` on port 465, else `false`' });

export const mailKeys = {
  administrator: mailAddresses
    .optional()
    .describe('E-mail addresses that receive notifications: one, several with commas between them, or a list.')
    .meta({ absent: 'no e-mail' }),
  mailServer: text(253)
    .regex(/^[^\s\x00-\x1f\x7f/@<>]+$/, { abort: true })
    .refine((value) => parseHostAndPort(value).kind === 'host', {
      message: 'check it: it is a host name or an IP address; a port follows after a colon, or has the key "mailServerPort"',
    })
    .optional()
    .describe('SMTP host. Without it no e-mail is sent.')
    .meta({ absent: 'no e-mail', expected: 'a host name such as "smtp.example.org"' }),
  mailServerPort: listenPort()
    .optional()
    .describe('SMTP port. Many providers require 587. 0 is the same as none.')
    .meta({ absent: "SMTP's own, 25" }),
  mailSender: mailAddress.optional().describe('Sender address of notifications.').meta({ absent: 'no e-mail' }),
  mailSenderUser: text(320).optional().describe('User name for SMTP.').meta({ absent: '`mailSender`' }),
  mailSenderPassword: text(1000)
    .optional()
    .describe(
      'Password for SMTP. With it STARTTLS and login are used, without it neither. Better: set the environment variable `SESSION_SERVER_MAIL_PASSWORD`, or name a file in `SESSION_SERVER_MAIL_PASSWORD_FILE`.',
    )
    .meta({ secret: true, absent: 'none' }),
};

/** Ours. */
export const ownMailKeys = { mailServerTls };

/** Operators empty a value where they should remove the key; for mail that means the same. */
export function withoutEmptyMailKeys(file: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(file).filter(([key, value]) => !(value === '' && Object.hasOwn(mailKeys, key))));
}

type Mail = { readonly [K in keyof typeof mailKeys]?: z.output<(typeof mailKeys)[K]> };

/** Keys that need each other. `hasPassword`: a mail password is known, wherever it came from. */
export function checkMail(mail: Mail, hasPassword: boolean): Problem[] {
  const { administrator, mailServer, mailServerPort = 0, mailSender, mailSenderUser, mailSenderPassword } = mail;
  const port = mailServerPort > 0 ? mailServerPort : undefined;
  const given = { administrator, mailServer, mailSender, mailSenderUser, mailSenderPassword, mailServerPort: port };
  const because = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
  if (because === undefined) return [];
  const problems: Problem[] = [];
  const demand = (key: string, value: unknown, what: string): void => {
    if (value === undefined) problems.push(missingPartner(key, what, because));
  };
  demand('administrator', administrator, 'the address that receives e-mail');
  demand('mailServer', mailServer, 'the SMTP host');
  demand('mailSender', mailSender, 'the address of the sender');
  if (mailSenderUser !== undefined && !hasPassword) problems.push(userWithoutPassword);
  const host = parseHostAndPort(mailServer ?? '');
  const ownPort = host.kind === 'host' ? host.port : undefined;
  if (ownPort !== undefined && mailServerPort > 0 && ownPort !== mailServerPort)
    problems.push({
      key: 'mailServer',
      value: showValue(mailServer),
      expected: `the host alone, because "mailServerPort" is ${mailServerPort}`,
      fix: `"mailServerPort" is used; remove ":${ownPort}"`,
    });
  return problems;
}

function missingPartner(key: string, what: string, because: string): Problem {
  const fix = `e-mail is disabled until you add it, or remove "${because}"`;
  return { key, value: 'missing', expected: `${what}, because "${because}" is set`, fix };
}

const userWithoutPassword: Problem = {
  key: 'mailSenderPassword',
  value: 'missing',
  expected: 'a password, because "mailSenderUser" is set',
  fix: 'without it there is no login to the SMTP server; set SESSION_SERVER_MAIL_PASSWORD, or remove "mailSenderUser"',
};
