/** An image with a busybox, made without a registry. Needs podman and busybox-static. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporary } from '../support/start-program.ts';

const NAME = 'localhost/session-server-sim-test';

/** Its name. */
export function busyboxImage(t: TestContext): string {
  // Each import would leave the image of the last one behind, without a name.
  if (spawnSync('podman', ['image', 'exists', NAME]).status === 0) return NAME;
  const folder = temporary(t);
  mkdirSync(join(folder, 'bin'));
  copyFileSync('/bin/busybox', join(folder, 'bin/busybox'));
  const tar = `${folder}.tar`;
  spawnSync('tar', ['-C', folder, '-cf', tar, 'bin']);
  const { status, stderr } = spawnSync('podman', ['import', '--quiet', tar, NAME], { encoding: 'utf8' });
  rmSync(tar);
  assert.equal(status, 0, `podman and busybox-static are needed: ${stderr}`);
  return NAME;
}
