/** The site as a client sees it: its name, its port, its certificate, and its answers. */
import { lookup } from 'node:dns/promises';
import { isIP, connect } from 'node:net';
import { connect as connectTls, type PeerCertificate } from 'node:tls';
import { addressKind } from '../../core/fleet/ip-address.ts';
import { probeUpgrade } from '../../probes/upgrade.ts';
import { fault, ok, warning, type Finding } from './finding.ts';
import { proxyAdvice, type LocalReverseProxy } from './proxy-advice.ts';
import { codeOf, reason } from './reason.ts';

/** Seconds. */
export interface SiteOptions {
  readonly timeout: number;
  /** Seconds since the epoch. */
  readonly wallTime: () => number;
  readonly reverseProxy: LocalReverseProxy;
}

const DAY = 86_400;
/** Days before the expiry of a certificate at which it should have been renewed: certbot renews 30 days before. */
const RENEW = 14;
/** Seconds a clock may be off before logs and certificates suffer. */
const CLOCK = 10;
const HTTP_OK = 200;

/** In the order of dependence: without a name there is no port, without a port no certificate. */
export async function examineSite(url: URL, options: SiteOptions): Promise<Finding[]> {
  const findings = [await examineName(url.hostname)];
  if (failed(findings)) return findings;
  findings.push(await examinePort(url, options));
  if (failed(findings)) return findings;
  if (url.protocol === 'https:') findings.push(await examineCertificate(url, options));
  if (failed(findings)) return findings;
  findings.push(...(await examineAnswers(url, options)));
  if (failed(findings)) return findings;
  findings.push(await examineAvailability(url, options), ...(await examineSessions(url, options)));
  return findings;
}

export async function examineName(bracketed: string): Promise<Finding> {
  const host = bracketed.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0)
    return addressKind(host) === 'loopback' || host === ''
      ? ok('name', host, 'is this machine')
      : warning('name', host, 'is an IP address, and certificates are issued for names', 'give the machine a DNS name');
  try {
    const addresses = (await lookup(host, { all: true })).map(({ address }) => address);
    const hidden = addresses.every((address) => addressKind(address) === 'loopback');
    if (hidden && host !== 'localhost')
      return warning(
        'name',
        host,
        `resolves to ${addresses.join(', ')} on this machine`,
        'check it from another machine, too; /etc/hosts may hide the DNS entry',
      );
    return ok('name', host, `resolves to ${addresses.join(', ')}`);
  } catch (error) {
    return fault('name', host, `does not resolve (${reason(error)})`, 'add an A or AAAA record for it in the DNS of the domain');
  }
}

export function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

async function examinePort(url: URL, { timeout }: SiteOptions): Promise<Finding> {
  const port = portOf(url);
  const subject = `${url.hostname}:${port}`;
  const problem = await reach(url.hostname.replace(/^\[|\]$/g, ''), port, timeout);
  if (problem === undefined) return ok('port', subject, 'is open');
  return fault(
    'port',
    subject,
    `cannot be reached: ${problem}`,
    `start the program for it; open port ${port} in the firewall, and forward it in the router`,
  );
}

function reach(host: string, port: number, timeout: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeout * 1000 });
    const end = (problem: string | undefined) => {
      socket.destroy();
      resolve(problem);
    };
    socket.once('connect', () => end(undefined));
    socket.once('timeout', () => end(`no answer within ${timeout} s; a firewall may drop the packets`));
    socket.once('error', (error) => end(reason(error)));
  });
}

interface Shown {
  readonly certificate: PeerCertificate;
  /** Why it would not be accepted. */
  readonly refused: string | undefined;
}

async function examineCertificate(url: URL, options: SiteOptions): Promise<Finding> {
  const shown = await showCertificate(url, options.timeout);
  const subject = url.hostname;
  if (typeof shown === 'string')
    return fault(
      'certificate',
      subject,
      `the TLS handshake failed: ${shown}`,
      'set the certificate and its key in the reverse proxy, or in "gateway.tls", and read its log',
    );
  const until = Date.parse(shown.certificate.valid_to) / 1000;
  const left = Math.floor((until - options.wallTime()) / DAY);
  const renew = 'renew it: certbot renew; and check the automatic renewal: systemctl list-timers';
  // First of all: an expired certificate is often rejected for other reasons before.
  if (until <= options.wallTime()) return fault('certificate', subject, `expired on ${shown.certificate.valid_to}`, renew);
  if (shown.refused !== undefined)
    return fault('certificate', subject, `is not accepted (${shown.refused})`, fixOf(shown.refused, subject));
  if (left < RENEW) return warning('certificate', subject, `expires in ${left} days`, renew);
  return ok('certificate', subject, `is accepted, for ${left} more days`);
}

function fixOf(code: string, host: string): string {
  switch (code) {
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'the chain is incomplete: serve fullchain.pem instead of cert.pem';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `get one for ${host}: certbot certonly -d ${host}`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return "get one from an authority that browsers trust, such as Let's Encrypt; or install your own authority on every client";
    default:
      return 'get a new one: certbot certonly';
  }
}

function showCertificate(url: URL, timeout: number): Promise<Shown | string> {
  return new Promise((resolve) => {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const socket = connectTls({
      ...{ host, port: portOf(url), timeout: timeout * 1000, rejectUnauthorized: false },
      ...(isIP(host) === 0 && { servername: host }),
    });
    const end = (result: Shown | string) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('secureConnect', () => {
      // Node's types say `Error`; it is the code of the failure.
      const refused = socket.authorized ? undefined : codeOf(socket.authorizationError);
      end({ certificate: socket.getPeerCertificate(), refused });
    });
    socket.once('timeout', () => end(`no answer within ${timeout} s`));
    socket.once('error', (error) => end(reason(error)));
  });
}

async function examineAnswers(url: URL, { timeout, wallTime, reverseProxy }: SiteOptions): Promise<Finding[]> {
  const address = new URL('/livez', url).href;
  try {
    const asked = wallTime();
    const response = await fetch(address, { redirect: 'manual', signal: AbortSignal.timeout(timeout * 1000) });
    const answered = wallTime();
    await response.body?.cancel();
    const date = Date.parse(response.headers.get('date') ?? '') / 1000;
    const findings = [
      response.status === HTTP_OK
        ? ok('site', address, 'answers')
        : await examineRefusal(url, response.status, { timeout, reverseProxy }),
    ];
    // The header has whole seconds.
    const off = Number.isNaN(date) ? 0 : Math.max(date - answered, asked - date - 1, 0);
    findings.push(
      off > CLOCK
        ? warning(
            'clock',
            url.hostname,
            `differs from the clock of this machine by ${Math.round(off)} s`,
            'enable time synchronisation on both machines: timedatectl set-ntp true',
          )
        : ok('clock', url.hostname, 'agrees with the clock of this machine'),
    );
    return findings;
  } catch (error) {
    return [
      fault('site', address, `does not answer: ${reason(error)}`, 'read the logs of the reverse proxy and of the session server'),
    ];
  }
}

/** A site that forwards only the paths of the original serves all clients and the page. */
async function examineRefusal(
  url: URL,
  status: number,
  { timeout, reverseProxy }: Pick<SiteOptions, 'timeout' | 'reverseProxy'>,
): Promise<Finding> {
  const address = new URL('/livez', url).href;
  const passes = async (path: string): Promise<boolean> => {
    const response = await fetch(new URL(path, url), { method: 'HEAD', signal: AbortSignal.timeout(timeout * 1000) });
    return response.status === HTTP_OK;
  };
  const passed = await Promise.all(OTHER_PATHS.map(passes));
  if (status === 404 && (await passes('/load'))) {
    const missing = ['/livez', ...OTHER_PATHS.filter((_, i) => passed[i] !== true)].join(', ');
    return warning(
      'site',
      address,
      `answers status 404, and /load answers: the reverse proxy does not forward ${missing}`,
      `the monitor page and the clients of the original work without; supervisors and programs do not. ${proxyAdvice(reverseProxy, 'answers')}`,
    );
  }
  const what = status === 502 || status === 503 ? 'unreachable' : 'answers';
  return fault('site', address, `answers status ${status}`, proxyAdvice(reverseProxy, what));
}

/** What supervisors and programs use, besides `/livez`. */
const OTHER_PATHS = ['/readyz', '/api/v1/availability'] as const;

async function examineAvailability(url: URL, { timeout, reverseProxy }: SiteOptions): Promise<Finding> {
  const address = new URL('/', url).href.replace(/^http/, 'ws');
  const result = await probeUpgrade(address, { timeout });
  if (result.kind === 'opened') return ok('websocket', address, 'opens');
  return fault('websocket', address, `does not open: ${result.reason}`, proxyAdvice(reverseProxy, 'webSockets'));
}

/** A session is requested and released at once, so that no client loses a place. */
async function examineSessions(url: URL, { timeout }: SiteOptions): Promise<Finding[]> {
  const address = new URL('/api/v1/sessions', url).href;
  try {
    const response = await fetch(address, { method: 'POST', redirect: 'manual', signal: AbortSignal.timeout(timeout * 1000) });
    const answer = (await response.json()) as { url?: unknown; ticket?: unknown; reason?: unknown };
    if (typeof answer.url !== 'string' || typeof answer.ticket !== 'string')
      return [
        warning(
          'sessions',
          url.origin,
          `no session can start now: ${typeof answer.reason === 'string' ? answer.reason : `status ${response.status}`}`,
          `see ${new URL('/monitor', url).href}`,
        ),
      ];
    await fetch(`${address}/${encodeURIComponent(answer.ticket)}`, {
      method: 'DELETE',
      signal: AbortSignal.timeout(timeout * 1000),
    });
    return [ok('sessions', url.origin, `a session can start, at ${answer.url}`), mixedContent(url, answer.url)];
  } catch (error) {
    return [
      fault(
        'sessions',
        address,
        `cannot be requested: ${reason(error)}`,
        'check that the session server answers there, and not another program',
      ),
    ];
  }
}

/** Pages loaded by HTTPS can open `wss:` only. */
export function mixedContent(page: URL, handedOut: string): Finding {
  if (page.protocol === 'https:' && !handedOut.startsWith('wss:'))
    return fault(
      'mixed-content',
      handedOut,
      'is given to pages loaded by https, and browsers refuse to open it',
      'set "ssl": true (or "handOutSsl": true) in the configuration',
    );
  if (page.protocol === 'http:' && handedOut.startsWith('wss:'))
    return warning(
      'mixed-content',
      handedOut,
      'needs a certificate, and the site itself has none',
      'use https for the site, or set "ssl": false',
    );
  return ok('mixed-content', handedOut, `can be opened by pages from ${page.origin}`);
}

function failed(findings: readonly Finding[]): boolean {
  return findings.some(({ level }) => level === 'fault');
}
