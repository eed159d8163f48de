/** What is left to do by hand after the files are written, command by command. */
import { CERTIFICATE_STEP, certbotCommands } from './certbot.ts';
import { STATE_FOLDER, type Answers } from './configuration-file.ts';
import { certificateSteps, enableStep, stepLines, type Step } from './sites.ts';
import { GROUP } from './systemd-unit.ts';

export interface Written {
  readonly configuration: string;
  readonly unit: string;
  readonly hook: string;
}

export function nextSteps(answers: Answers, written: Written): string {
  const { server, front, port, administrator, registrationToken } = answers;
  const { configuration, unit } = written;
  const site = front === 'none' ? `http://${server}:${port}` : `https://${server}`;
  const steps: Step[] = [
    ['the group that may read the configuration', `groupadd --system --force ${GROUP}`, `chgrp ${GROUP} ${configuration}`],
    ['start it, now and at every boot', 'systemctl daemon-reload', `systemctl enable --now ${unit.replace(/^.*\//, '')}`],
    ...frontSteps(answers, written),
    ...(administrator === undefined ? [] : [['the first message', `session-server test-notification ${configuration}`] as const]),
    ['see whether it all works', `session-server doctor ${site} --config ${configuration}`],
  ];
  const joining =
    registrationToken === undefined
      ? []
      : ['', `Simulation servers join by this in their configuration: "notify": ["${site}/register/${registrationToken}"]`];
  return ['What is left to do, as root:', '', ...stepLines(steps), ...joining, ''].join('\n');
}

function frontSteps({ server, front }: Answers, { configuration, hook }: Written): readonly Step[] {
  if (front === 'none') return [];
  if (front === 'gateway') {
    const webroot = `${STATE_FOLDER}/acme`;
    return [[CERTIFICATE_STEP, `install -d ${webroot}`, ...certbotCommands({ server, webroot, deployHook: hook })]];
  }
  return [
    ...certificateSteps(front, server),
    // Caddy comes with a Caddyfile of its own; it is kept as a copy.
    [`the site of ${front}`, `session-server setup ${front} ${configuration}${front === 'caddy' ? ' --force' : ''}`],
    enableStep(front),
  ];
}
