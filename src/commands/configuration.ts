/** Reads the configuration file of a command, and reports what is wrong with it. */
import { findConfiguration, findInstalled } from '../config/find.ts';
import { loadConfiguration, type Loaded, type LoadResult } from '../config/load.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import type { Settings } from '../config/settings.ts';
import { packageRoot } from '../system/package-root.ts';

/** Exit status of a rejected configuration and of a wrong command line: nothing was started (docs/design/protocol.md, "Configuration file"). */
export const REFUSED = 2;

/** The settings, or `undefined` after all problems were written to stderr and the exit status was set. */
export async function readConfiguration(file: string | undefined): Promise<Loaded | undefined> {
  return accepted(await loadConfiguration(findConfiguration(file, process.cwd(), packageRoot)));
}

/** The same for commands that maintain an installation. With `quiet` the caller reports the warnings of a configuration that is accepted. */
export async function readInstalled(file: string | undefined, { quiet = false } = {}): Promise<Loaded | undefined> {
  const found = findInstalled(file, process.cwd());
  if (found.kind === 'found') return accepted(await loadConfiguration(found.path), quiet);
  console.error(`error: ${found.reason}`);
  process.exitCode = REFUSED;
  return undefined;
}

function accepted(result: LoadResult, quiet = false): Loaded | undefined {
  if (!quiet || result.kind === 'refused') printProblems(result);
  if (result.kind === 'loaded') return result;
  process.exitCode = REFUSED;
  return undefined;
}

/** What the results of loading a configuration have in common, whichever program it is for. */
export type LoadProblems = { readonly warnings: readonly Problem[] } & (
  { readonly kind: 'loaded' } | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
);

/** What is wrong with the certificate of the gateway. All are warnings: it may be replaced while the gateway runs. */
export async function certificateProblems({ gateway: { enabled, tls } }: Settings): Promise<Problem[]> {
  if (!enabled || tls === undefined) return [];
  const { checkCertificateFiles } = await import('../http/gateway/certificates.ts');
  const { CHAIN_FIX } = await import('../http/gateway/certificate-chain.ts');
  const checked = await checkCertificateFiles(tls, Date.now() / 1000);
  const key = 'gateway.tls';
  if (checked.kind === 'usable')
    return checked.warnings.map((value) => ({ key, value, expected: 'a chain that all programs accept', fix: CHAIN_FIX }));
  // Before the first certificate there is none, and only the user of the service may read the key.
  if (checked.unread === true) return [];
  const fix = 'until then the gateway accepts no TLS connections, or uses the previous certificate';
  return [{ key, value: checked.reason, expected: 'a certificate and a key that clients accept', fix }];
}

/** To stderr, one line each. */
export function printProblems(result: LoadProblems): void {
  for (const warning of result.warnings) console.error(`warning: ${formatProblem(warning)}`);
  if (result.kind === 'refused') for (const problem of result.problems) console.error(`error: ${formatProblem(problem)}`);
}
