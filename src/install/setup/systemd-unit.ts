/**
 * The unit of systemd: the program runs as a user of its own that exists only while it runs, sees nothing it does not need, and comes back after every end but a
 * refused configuration. `systemd-analyze security` says below 2.0.
 *
 * Not here, because Node would not start: `MemoryDenyWriteExecute` (its compiler writes code).
 */
export interface UnitOptions {
  /** Absolute path of Node. */
  readonly node: string;
  /** Absolute path of `bin/session-server.mjs`. */
  readonly program: string;
  /** Absolute path of the configuration file. */
  readonly configuration: string;
  /** Listens on ports below 1024, as the gateway does. */
  readonly lowPorts: boolean;
}

/** Exists only while the program runs. */
const USER = 'session-server';
/**
 * Group that may read the configuration file, which can hold passwords. Never named like the user: systemd makes no user for a while whose name a group of the
 * machine has, and the unit would not start.
 */
export const GROUP = 'session-server-config';

export function systemdUnit({ node, program, configuration, lowPorts }: UnitOptions): string {
  return [
    '[Unit]',
    'Description=Session server: entry point of a fleet of simulation servers',
    'After=network-online.target',
    'Wants=network-online.target',
    '# It is tried again for ever: after a power cut other machines may be slower.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    `ExecStart=${argument(node)} ${argument(program)} start ${argument(configuration)}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    'Restart=always',
    'RestartSec=1',
    '# Exit status 2: the configuration is refused, and would be again.',
    'RestartPreventExitStatus=2',
    'TimeoutStopSec=10',
    'Environment=NODE_ENV=production',
    '# Each client and each simulation server needs a file descriptor.',
    'LimitNOFILE=65536',
    '# It stays responsive beside simulations on the same machine, and can never take the machine down itself.',
    'CPUWeight=500',
    'MemoryHigh=1536M',
    'MemoryMax=2G',
    'OOMScoreAdjust=-500',
    'TasksMax=128',
    '',
    'DynamicUser=yes',
    `User=${USER}`,
    `SupplementaryGroups=${GROUP}`,
    'StateDirectory=session-server',
    'StateDirectoryMode=0700',
    'LogsDirectory=session-server',
    'LogsDirectoryMode=0750',
    'WorkingDirectory=/var/lib/session-server',
    'UMask=0077',
    '',
    ...(lowPorts
      ? ['# For ports below 1024.', 'AmbientCapabilities=CAP_NET_BIND_SERVICE', 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE']
      : ['CapabilityBoundingSet=', 'PrivateUsers=yes']),
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectProc=invisible',
    'ProcSubset=pid',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'RemoveIPC=yes',
    'LockPersonality=yes',
    'KeyringMode=private',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged @resources',
    'SystemCallErrorNumber=EPERM',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

/** One argument of a command line (systemd.service(5), "Command lines"). */
function argument(text: string): string {
  const plain = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[A-Za-z0-9_./:@%$+-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
}
