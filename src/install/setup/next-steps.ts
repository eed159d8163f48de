/** The steps that remain after the files are written, command by command. */
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
  const { server, reverseProxy, port, administrator, registrationToken, monitorOrigin } = answers;
  const { configuration, unit } = written;
  const site = reverseProxy === 'none' ? `http://${server}:${port}` : `https://${server}`;
  const steps: Step[] = [
    ['create the group that can read the configuration', `groupadd --system --force ${GROUP}`, `chgrp ${GROUP} ${configuration}`],
    [
      'start the session server, now and at every boot',
      'systemctl daemon-reload',
      `systemctl enable --now ${unit.replace(/^.*\//, '')}`,
    ],
    ...reverseProxySteps(answers, written),
    ...(administrator === undefined
      ? []
      : [['send a test message', `session-server test-notification ${configuration}`] as const]),
    ['check the installation', `session-server doctor ${site} --config ${configuration}`],
  ];
  const joining =
    registrationToken === undefined
      ? []
      : [
          '',
          `Simulation servers register with this line in their configuration: "notify": ["${site}/register/${registrationToken}"]`,
        ];
  const signIn =
    monitorOrigin === undefined
      ? []
      : ['', `Operators sign in at ${monitorOrigin}/monitor: open its port in the firewall for their machines.`];
  return ['Remaining steps, as root:', '', ...stepLines(steps), ...signIn, ...joining, ''].join('\n');
}

function reverseProxySteps({ server, reverseProxy }: Answers, { configuration, hook }: Written): readonly Step[] {
  if (reverseProxy === 'none') return [];
  if (reverseProxy === 'gateway') {
    const webroot = `${STATE_FOLDER}/acme`;
    return [[CERTIFICATE_STEP, `install -d ${webroot}`, ...certbotCommands({ server, webroot, deployHook: hook })]];
  }
  return [
    ...certificateSteps(reverseProxy, server),
    // The Caddyfile that comes with Caddy is kept as a copy.
    [
      `write the ${reverseProxy} site`,
      `session-server setup ${reverseProxy} ${configuration}${reverseProxy === 'caddy' ? ' --force' : ''}`,
    ],
    enableStep(reverseProxy),
  ];
}
