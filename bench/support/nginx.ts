/** Debian's nginx as the reverse proxy of the same simulation servers, to compare the gateway with in the same run. One process, as ours. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './pause.ts';
import { getOnce } from './requests.ts';
import { usageOf, type Usage } from './usage.ts';

export interface Nginx {
  readonly plainPort: number;
  readonly tlsPort: number;
  usage(): Usage;
  kill(): Promise<void>;
}

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

const PROGRAM = '/usr/sbin/nginx';

/** `/PORT/…` is forwarded to that port of this machine, by HTTP and WebSocket. Throws when it is not installed. */
export async function startNginx({ cert, key }: CertificateFiles): Promise<Nginx> {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: apt-get install nginx`);
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
  const [plainPort, tlsPort] = [await freePort(), await freePort()];
  const configuration = join(folder, 'nginx.conf');
  writeFileSync(
    configuration,
    `daemon off;
master_process off;
pid ${folder}/pid;
error_log ${folder}/error.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen 127.0.0.1:${plainPort} reuseport;
    listen 127.0.0.1:${tlsPort} ssl reuseport;
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    keepalive_requests 1000000;
    location ~ ^/(?<number>[1-9][0-9]*)(?<rest>/.*)?$ {
      proxy_pass http://127.0.0.1:$number$rest$is_args$args;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_read_timeout 3600s;
    }
    location / { return 200 'nginx'; }
  }
}
`,
  );
  const child = spawn(PROGRAM, ['-p', folder, '-c', configuration], { stdio: ['ignore', 'inherit', 'inherit'] });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      process.off('exit', end);
      rmSync(folder, { recursive: true, force: true });
      resolve();
    });
  });
  await until('nginx to answer', 10, 0.05, () =>
    getOnce(plainPort, '/')
      .then(() => true)
      .catch(() => false),
  );
  return {
    plainPort,
    tlsPort,
    usage: () => usageOf(child.pid ?? 0),
    async kill() {
      end();
      await exited;
    },
  };
}

/** Free at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
