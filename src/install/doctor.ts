/**
 * `session-server doctor [URL]`: checks everything between a browser and a simulation, and says how to fix what is wrong. Nothing is changed: the one
 * session it requests is released at once, and the one file it writes, where certbot writes its proofs, is removed. Exit status 0: all checks passed;
 * 1: warnings; 2: faults.
 */
import { faultOf, type Problem } from '../config/problem.ts';
import type { Settings } from '../config/settings.ts';
import { hostInUrl } from '../core/fleet/endpoint.ts';
import { readOutgoingProxies } from '../system/outgoing-proxies.ts';
import { systemClock } from '../system/system-clock.ts';
import { certificateProblems, readInstalled } from '../commands/configuration.ts';
import { exitStatus, fault, findingLine, ok, warning, type Finding } from './doctor/finding.ts';
import { localReverseProxy } from './doctor/proxy-advice.ts';
import { descriptorLimit, examineDescriptors, examineMail, examineProxies } from './doctor/machine.ts';
import { examineOperators } from './doctor/operators.ts';
import { examineRedirect } from './doctor/redirect.ts';
import { askRunning, type RunningResult } from './doctor/running.ts';
import { examineServers } from './doctor/simulation-servers.ts';
import { examineSite } from './doctor/site.ts';

export interface DoctorOptions {
  /** Configuration file. */
  readonly config?: string;
  readonly json?: boolean;
  /** Seconds for each request. */
  readonly timeout: number;
}

const USAGE = 2;

/** With a URL and no `--config` only the site is checked, as from a machine that is not the server. */
export async function doctorCommand(given: string | undefined, options: DoctorOptions): Promise<void> {
  const { timeout } = options;
  const loaded =
    given !== undefined && options.config === undefined ? undefined : await readInstalled(options.config, { quiet: true });
  if (loaded === undefined && process.exitCode !== undefined) return;
  const url = siteUrl(given, loaded?.settings);
  if (url === undefined) {
    refuse(`"${given ?? ''}" is not the address of a site; write it as https://webots.example.org`);
    return;
  }

  const findings: Finding[] = [];
  const report = (more: readonly Finding[]) => {
    findings.push(...more);
    if (options.json !== true) for (const finding of more) console.log(findingLine(finding));
  };
  if (loaded !== undefined) {
    const problems = [...loaded.warnings, ...(await certificateProblems(loaded.settings))];
    const valid = ok('configuration', loaded.path, 'is valid');
    report(problems.length === 0 ? [valid] : problems.map((problem) => aboutConfiguration(loaded.path, problem)));
  }
  const reverseProxy = localReverseProxy(loaded?.settings);
  report(await examineSite(url, { timeout, wallTime: () => systemClock.wallTime(), reverseProxy }));
  if (loaded !== undefined) {
    const { path, settings } = loaded;
    if (settings.simulationServers.length === 0 && settings.registration.token === undefined)
      report([fault('load', 'simulationServers', 'is empty', 'add a simulation server, or set "registration.token"')]);
    report(await examineRedirect(settings, { host: url.hostname, timeout }));
    report(await examineOperators(url, settings, timeout));
    const running = await askRunning(url, settings, timeout);
    const joined = running.kind === 'running' ? running.running.servers : [];
    if (running.kind !== 'running') report([notAsked(running)]);
    const { proxies, problems } = readOutgoingProxies(process.env);
    report(examineProxies({ proxies, problems }));
    report(await examineServers(settings, joined, { timeout, now: () => systemClock.now(), proxies }));
    if (settings.replicas !== undefined) {
      // Only then: it loads the client of Redis.
      const { examineReplicas } = await import('./doctor/replicas.ts');
      report(await examineReplicas(settings, { now: () => systemClock.now(), wallTime: () => systemClock.wallTime() }));
    }
    const servers = Math.max(joined.length, settings.simulationServers.length);
    report([examineDescriptors(settings, servers, descriptorLimit(running)), await examineMail(settings, { path, timeout })]);
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

/** Unknown then: which servers registered themselves, and how many files the process can open. */
function notAsked(running: Exclude<RunningResult, { readonly kind: 'running' }>): Finding {
  if (running.kind === 'closed')
    return ok('running', 'session server', 'listing servers needs a token, so self-registered servers were not checked');
  return warning(
    'running',
    'session server',
    `cannot list the servers that registered themselves (${running.reason})`,
    running.hidden
      ? 'fix the certificate first; then run doctor again'
      : 'start it: systemctl start session-server; and read its log',
  );
}

/** The given address; else that of the configuration. */
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
  if (faults + warnings === 0) return `All ${findings.length} checks passed.`;
  return `${count(findings.length, 'check')}: ${count(faults, 'fault')}, ${count(warnings, 'warning')}.`;
}

function refuse(reason: string): void {
  console.error(`error: ${reason}`);
  process.exitCode = USAGE;
}
