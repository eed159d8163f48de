/**
 * `session-server doctor [URL]`: looks at everything that has to be right between a browser and a simulation, and says how to fix what is not. Nothing is changed: the
 * one session it asks for is given back at once, and the one file it writes, where certbot writes its proofs, is removed. Exit status 0: all is well; 1: warnings; 2: faults.
 */
import { faultOf, type Problem } from '../config/problem.ts';
import type { Settings } from '../config/settings.ts';
import { hostInUrl } from '../core/fleet/endpoint.ts';
import { systemClock } from '../system/system-clock.ts';
import { readInstalled } from '../commands/configuration.ts';
import { exitStatus, fault, findingLine, ok, warning, type Finding } from './doctor/finding.ts';
import { localReverseProxy } from './doctor/proxy-advice.ts';
import { descriptorLimit, examineDescriptors, examineMail } from './doctor/machine.ts';
import { examineRedirect } from './doctor/redirect.ts';
import { askRunning, type RunningResult } from './doctor/running.ts';
import { examineServers } from './doctor/simulation-servers.ts';
import { examineSite } from './doctor/site.ts';

export interface DoctorOptions {
  /** Configuration file. */
  readonly config?: string;
  readonly json?: boolean;
  /** Seconds for each question. */
  readonly timeout: number;
}

const USAGE = 2;

/** With a URL and no `--config` only the site is looked at, as from a machine that is not the server. */
export async function doctorCommand(given: string | undefined, options: DoctorOptions): Promise<void> {
  const { timeout } = options;
  if (!(timeout > 0 && timeout <= 600)) {
    refuse('--timeout must be a number of seconds from above 0 to 600');
    return;
  }
  const loaded =
    given !== undefined && options.config === undefined
      ? undefined
      : await readInstalled(options.config === undefined ? [] : [options.config], { warnings: 'returned' });
  if (loaded === undefined && process.exitCode !== undefined) return;
  const url = siteUrl(given, loaded?.settings);
  if (url === undefined) {
    refuse(`"${given ?? ''}" is no address of a site; write it as https://webots.example.org`);
    return;
  }

  const findings: Finding[] = [];
  const tell = (more: readonly Finding[]) => {
    findings.push(...more);
    if (options.json !== true) for (const finding of more) console.log(findingLine(finding));
  };
  if (loaded !== undefined)
    tell(
      loaded.warnings.length === 0
        ? [ok('configuration', loaded.path, 'has no problem')]
        : loaded.warnings.map((problem) => aboutConfiguration(loaded.path, problem)),
    );
  const front = localReverseProxy(loaded?.settings);
  tell(await examineSite(url, { timeout, wallTime: () => systemClock.wallTime(), front }));
  if (loaded !== undefined) {
    const { path, settings } = loaded;
    if (settings.simulationServers.length === 0 && settings.registration.token === undefined)
      tell([fault('load', 'simulationServers', 'is empty', 'name a simulation server, or set "registration.token"')]);
    tell(await examineRedirect(settings, { host: url.hostname, timeout }));
    const running = await askRunning(url, settings, timeout);
    const joined = running.kind === 'running' ? running.running.servers : [];
    if (running.kind !== 'running') tell([notAsked(running)]);
    tell(await examineServers(settings, joined, { timeout, now: () => systemClock.now() }));
    const servers = Math.max(joined.length, settings.simulationServers.length);
    tell([examineDescriptors(settings, servers, descriptorLimit(running)), await examineMail(settings, { path, timeout })]);
  }
  const status = exitStatus(findings);
  if (options.json === true) console.log(JSON.stringify({ url: url.origin, status, findings }, undefined, 2));
  else console.log(summary(findings));
  process.exitCode = status;
}

function aboutConfiguration(path: string, problem: Problem): Finding {
  // Some are of the file as a whole.
  const where = problem.key === path ? '' : `${problem.key}: `;
  return warning('configuration', path, `${where}${faultOf(problem)}`, problem.fix);
}

/** Then this is not known: who joined by himself, and what its process may open. */
function notAsked(running: Exclude<RunningResult, { readonly kind: 'running' }>): Finding {
  if (running.kind === 'closed')
    return ok(
      'running',
      'session server',
      'tells its servers to holders of a token only: those that joined by themselves are not looked at',
    );
  return warning(
    'running',
    'session server',
    `cannot be asked which servers joined by themselves (${running.reason})`,
    running.hidden
      ? 'fix the certificate first; then ask again'
      : 'start it: systemctl start session-server; and look into its log',
  );
}

/** What was given; else where the configuration says the site is. */
export function siteUrl(given: string | undefined, settings: Settings | undefined): URL | undefined {
  const text = given ?? (settings === undefined ? '' : configuredUrl(settings));
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) ? url : undefined;
}

function configuredUrl({ ssl, server, portRewrite, port }: Settings): string {
  return `${ssl ? 'https' : 'http'}://${hostInUrl(server)}${portRewrite ? '' : `:${port}`}`;
}

function summary(findings: readonly Finding[]): string {
  const of = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  const [faults, warnings] = [of('fault'), of('warning')];
  if (faults + warnings === 0) return `All ${findings.length} checks are well.`;
  return `${count(findings.length, 'check')}: ${count(faults, 'fault')}, ${count(warnings, 'warning')}.`;
}

function refuse(reason: string): void {
  console.error(`error: ${reason}`);
  process.exitCode = USAGE;
}
