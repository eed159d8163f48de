/** What is left to do by hand after the files are written, command by command. */
import { APACHE_MODULES } from './apache.ts';
import { STATE_FOLDER, type Answers } from './configuration-file.ts';
import { GROUP } from './systemd-unit.ts';

export interface Written {
  readonly configuration: string;
  readonly unit: string;
  readonly hook: string;
}

export function nextSteps(
  { server, front, administrator, registrationToken }: Answers,
  { configuration, unit, hook }: Written,
): string {
  const commands = [
    ['the group that may read the configuration', `groupadd --system --force ${GROUP}`, `chgrp ${GROUP} ${configuration}`],
    ['start it, now and at every boot', 'systemctl daemon-reload', `systemctl enable --now ${unit.replace(/^.*\//, '')}`],
    ...(front === 'gateway'
      ? [
          [
            'a certificate, and every renewal of it',
            `install -d ${STATE_FOLDER}/acme`,
            `certbot certonly --webroot -w ${STATE_FOLDER}/acme -d ${server} --deploy-hook ${hook}`,
          ],
        ]
      : front === 'apache' || front === 'nginx' || front === 'caddy'
        ? [
            ...(front === 'apache' ? [['what Apache needs', `a2enmod ${APACHE_MODULES.join(' ')}`]] : []),
            [`the site of ${front}`, `session-server setup ${front} ${configuration}`],
          ]
        : []),
    ...(administrator === undefined ? [] : [['the first message', `session-server test-notification ${configuration}`]]),
    [
      'does it all work?',
      `session-server doctor ${front === 'none' ? `http://${server}:1999` : `https://${server}`} --config ${configuration}`,
    ],
  ];
  const steps = commands.map(([what = '', ...lines], i) =>
    [`${i + 1}. ${what}:`, ...lines.map((line) => `     ${line}`)].join('\n'),
  );
  const joining =
    registrationToken === undefined
      ? []
      : [
          '',
          `Simulation servers join by this in their configuration: "notify": ["https://${server}/register/${registrationToken}"]`,
        ];
  return ['What is left to do, as root:', '', ...steps, ...joining, ''].join('\n');
}
