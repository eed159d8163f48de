/** Real web servers with a generated site, on free ports, each a process of the test alone. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually, inTime } from '../support/eventually.ts';
import { temporary, type Scope } from '../support/start-program.ts';

export interface WebServer {
  /** Debian's name of the package. */
  readonly name: 'apache2' | 'nginx' | 'caddy';
  /** Command line of the program; writes what is needed around the site. */
  readonly prepare: (folder: string, site: string, ports: Ports) => readonly string[];
  /** Where the program is. */
  readonly program: string;
}

export interface Ports {
  readonly http: number;
  readonly https: number;
}

const MODULES = '/usr/lib/apache2/modules';

export const apache: WebServer = {
  name: 'apache2',
  program: '/usr/sbin/apache2',
  prepare(folder, site, ports) {
    const modules = [
      'mpm_event',
      'authz_core',
      'socache_shmcb',
      'headers',
      'proxy',
      'proxy_http',
      'proxy_wstunnel',
      'rewrite',
      'ssl',
    ];
    writeFileSync(join(folder, 'site.conf'), site);
    writeFileSync(
      join(folder, 'apache.conf'),
      [
        `ServerRoot ${folder}`,
        `DefaultRuntimeDir ${folder}`,
        `PidFile ${folder}/apache.pid`,
        `ErrorLog ${folder}/error.log`,
        'LogLevel warn',
        'ServerName localhost',
        ...modules.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`),
        ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
        `Listen ${ports.http} http`,
        `Listen ${ports.https} https`,
        `Include ${folder}/site.conf`,
        '',
      ].join('\n'),
    );
    return ['-D', 'FOREGROUND', '-f', join(folder, 'apache.conf')];
  },
};

export const nginx: WebServer = {
  name: 'nginx',
  program: '/usr/sbin/nginx',
  prepare(folder, site) {
    writeFileSync(join(folder, 'site.conf'), site);
    const temporaries = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `  ${name}_temp_path ${folder}/${name};`,
    );
    writeFileSync(
      join(folder, 'nginx.conf'),
      [
        'daemon off;',
        `pid ${folder}/nginx.pid;`,
        'error_log stderr warn;',
        'worker_processes 1;',
        'events {}',
        'http {',
        '  access_log off;',
        ...temporaries,
        `  include ${folder}/site.conf;`,
        '}',
        '',
      ].join('\n'),
    );
    return ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')];
  },
};

export const caddy: WebServer = {
  name: 'caddy',
  program: '/usr/bin/caddy',
  prepare(folder, site, ports) {
    const options = [
      '{',
      '  admin off',
      `  http_port ${ports.http}`,
      `  https_port ${ports.https}`,
      '  skip_install_trust',
      '  grace_period 1s',
      '}',
      '',
    ];
    writeFileSync(join(folder, 'Caddyfile'), options.join('\n') + site);
    return ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')];
  },
};

/** Throws with the command that installs it when the program is missing. */
export function requireProgram(program: string, debianPackage: string): void {
  if (spawnSync(program, ['-v']).error === undefined) return;
  throw new Error(`${program} is missing; on Debian and Ubuntu: apt-get install -y ${debianPackage}`);
}

/** Starts the web server with this site and waits until it listens. */
export async function startWebServer(
  scope: Scope,
  { name, program, prepare }: WebServer,
  site: string,
  ports: Ports,
): Promise<void> {
  requireProgram(program, name);
  const folder = temporary(scope);
  const child = spawn(program, prepare(folder, site, ports), {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Caddy keeps what it learns in the home folder.
    env: { ...process.env, HOME: subfolder(folder), XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  let ended = false;
  const end = new Promise<void>((resolve) => {
    child.once('close', () => {
      ended = true;
      resolve();
    });
  });
  scope.after(async () => {
    child.kill('SIGTERM');
    await inTime(`the end of ${name}`, end);
  });
  await eventually(`${name} to listen`, async () => {
    if (ended) throw new Error(`${name} ended: ${said}`);
    return listens(ports.https);
  });
}

function subfolder(folder: string): string {
  const home = join(folder, 'home');
  mkdirSync(home);
  return home;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
