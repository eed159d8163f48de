/** `session-server doctor --config FILE` for the configuration of a simulation server: what works on this machine, and how to fix the rest. */
import { faultOf } from '../config/problem.ts';
import { exitStatus, fault, findingLine, ok, warning, type Finding } from '../install/doctor/finding.ts';
import { examineMachine, type Examination } from '../simulation/app/examine.ts';
import { loadSimulationConfiguration } from '../simulation/settings/load.ts';
import { systemClock } from '../system/system-clock.ts';
import { printProblems, REFUSED } from './configuration.ts';

export async function doctorSimulation(file: string, { json = false }: { readonly json?: boolean }): Promise<void> {
  const loaded = await loadSimulationConfiguration(file);
  if (loaded.kind === 'refused') {
    printProblems(loaded);
    process.exitCode = REFUSED;
    return;
  }
  const { path, settings } = loaded;
  const configuration = loaded.warnings.map((problem) =>
    warning('configuration', path, `${problem.key}: ${faultOf(problem)}`, problem.fix),
  );
  const findings = [
    ...(configuration.length === 0 ? [ok('configuration', path, 'is valid')] : configuration),
    ...machineFindings(await examineMachine(settings, systemClock)),
  ];
  const status = exitStatus(findings);
  if (json) console.log(JSON.stringify({ status, findings }, undefined, 2));
  else for (const finding of findings) console.log(findingLine(finding));
  process.exitCode = status;
}

export function machineFindings({ git, isolation, notUsed, copies, missing }: Examination): readonly Finding[] {
  const stronger = notUsed.map((reason) =>
    warning('isolation', 'isolation', `a stronger one is not available: ${reason}`, 'install it, or set "isolation.use"'),
  );
  const { name, strength, limits, network } = isolation;
  const facts = `strength: ${strength}; limits: ${limits}; network: ${network}`;
  return [
    git === undefined ? fault('git', 'git', 'does not run', 'install Git') : ok('git', 'version', git),
    name === 'none works'
      ? fault('isolation', 'isolation', 'none of the configured ones works', 'see the reasons, or set "isolation.use"')
      : ok('isolation', name, facts),
    ...stronger,
    copies === undefined
      ? ok('workspaces', 'files', 'are a layer above the shared project')
      : ok('workspaces', 'files', `are copied for each session: ${copies}`),
    ...missing.map(({ subject, text, fix }) => fault('simulator', subject, text, fix)),
  ];
}
