/** An image with a busybox, made without a registry. Needs podman and busybox-static. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporary } from '../support/start-program.ts';

/** Its name. */
export function busyboxImage(t: TestContext): string {
  const folder = temporary(t);
  mkdirSync(join(folder, 'bin'));
  copyFileSync('/bin/busybox', join(folder, 'bin/busybox'));
  const tar = `${folder}.tar`;
  spawnSync('tar', ['-C', folder, '-cf', tar, 'bin']);
  const { status, stderr } = spawnSync('podman', ['import', '--quiet', tar, 'localhost/session-server-sim-test'], {
    encoding: 'utf8',
  });
  rmSync(tar);
  assert.equal(status, 0, `podman and busybox-static are needed: ${stderr}`);
  return 'localhost/session-server-sim-test';
}
