/**
 * The plain HTTP port of the gateway: it redirects to HTTPS, and the certificate authority requests its proof there. A certificate obtained by other
 * means works until its first renewal fails, months later. So the request for the proof is tried here.
 */
import { randomBytes } from 'node:crypto';
import { chmod, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../system/make-folder.ts';
import type { Settings } from '../../config/settings.ts';
import { fault, ok, warning, type Finding } from './finding.ts';
import { reason } from './reason.ts';

export interface RedirectOptions {
  /** Where the site is. */
  readonly host: string;
  /** Seconds. */
  readonly timeout: number;
}

const CHALLENGES = '.well-known/acme-challenge';

export async function examineRedirect({ gateway }: Settings, { host, timeout }: RedirectOptions): Promise<Finding[]> {
  const { enabled, redirectFrom, publicPort, acmeDir } = gateway;
  // If clients use another port for TLS, port 80 is forwarded to this one, too. 0 is any free port, which is unknown from outside.
  const port = publicPort === undefined ? redirectFrom : 80;
  if (!enabled || redirectFrom === undefined || port === undefined || port === 0) return [];
  const origin = `http://${host}:${port}`;
  const redirect = await examinePort(origin, `${host}:${port}`, timeout);
  if (redirect.level === 'fault' || acmeDir === undefined) return [redirect];
  return [redirect, await examineChallenge(origin, acmeDir, timeout)];
}

async function examinePort(origin: string, subject: string, timeout: number): Promise<Finding> {
  try {
    const response = await fetch(origin, { redirect: 'manual', signal: AbortSignal.timeout(timeout * 1000) });
    await response.body?.cancel();
    const { status, headers } = response;
    if (status >= 300 && status < 400 && headers.get('location')?.startsWith('https://') === true)
      return ok('port', subject, 'is open, and redirects to HTTPS');
    return fault(
      'port',
      subject,
      `answers status ${status} without a redirect to HTTPS: another program listens there`,
      'find it (ss -tlnp), stop it permanently (systemctl disable --now …), and restart the session server',
    );
  } catch (error) {
    return fault(
      'port',
      subject,
      `cannot be reached: ${reason(error)}; users who do not type https:// get no answer, and the certificate is not renewed`,
      'start the session server; open the port in the firewall, and forward it in the router',
    );
  }
}

/** A proof of our own is written where certbot writes its, asked for, and removed. */
async function examineChallenge(origin: string, acmeDir: string, timeout: number): Promise<Finding> {
  const folder = join(acmeDir, CHALLENGES);
  const token = `doctor-${randomBytes(16).toString('hex')}`;
  const proof = randomBytes(16).toString('hex');
  let created: string | undefined;
  try {
    await stat(acmeDir);
    created = await makeFolder(folder, 0o755);
    await writeFile(join(folder, token), proof);
    await chmod(join(folder, token), 0o644);
  } catch (error) {
    return notWritten(acmeDir, error);
  }
  try {
    const response = await fetch(`${origin}/${CHALLENGES}/${token}`, { signal: AbortSignal.timeout(timeout * 1000) });
    if (response.status === 200 && (await response.text()) === proof)
      return ok('challenge', acmeDir, 'is served correctly to the certificate authority');
    return fault(
      'challenge',
      acmeDir,
      `a file in it is not served (status ${response.status}), so no certificate is renewed`,
      'use this folder with certbot (certbot certonly --webroot -w …), and let the session server read it and all folders above it',
    );
  } catch (error) {
    return fault('challenge', acmeDir, `a file in it is not served: ${reason(error)}`, 'read the log of the session server');
  } finally {
    await unlink(join(folder, token));
    if (created !== undefined) await removeEmpty(folder);
  }
}

function notWritten(acmeDir: string, error: unknown): Finding {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return warning('challenge', acmeDir, 'could not be checked: this user cannot write there', 'run the doctor with sudo');
  return fault(
    'challenge',
    acmeDir,
    `cannot be written to (${reason(error)}), so no certificate can be issued or renewed`,
    `create it: install -d ${acmeDir}`,
  );
}

/** The folder that was created for this check; certbot may use it by now. */
async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
    await rmdir(dirname(folder));
  } catch {
    // It is in use.
  }
}
