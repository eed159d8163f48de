/** A Redis on a socket in a folder of its own, without persistence. Needs Debian's package `redis-server`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './pause.ts';
import { usageOf, type Usage } from './usage.ts';

export interface RedisProcess {
  readonly url: string;
  usage(): Usage;
  kill(): Promise<void>;
}

export async function startRedis(): Promise<RedisProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-redis-'));
  const path = join(folder, 'redis.sock');
  const options = ['--port', '0', '--unixsocket', path, '--dir', folder, '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', options, { stdio: 'ignore' });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  await until('Redis', 10, 0.05, () => Promise.resolve(existsSync(path)));
  return {
    url: `unix:${path}`,
    usage: () => usageOf(child.pid ?? 0),
    async kill() {
      process.off('exit', end);
      const ended = once(child, 'exit');
      end();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
