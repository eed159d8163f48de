/** A repository of a project in a folder of this machine, as a mirror has it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const WORLD = '#VRML_SIM R2025a utf8\nWorldInfo {}\n';

export class ProjectRepository {
  readonly #bare: string;
  readonly #work: string;

  /** `name` is as in `acme/arm`; the repository is `mirror/acme/arm.git`. */
  constructor(mirror: string, name: string) {
    this.#bare = join(mirror, `${name}.git`);
    this.#work = join(mirror, '.work', name);
    for (const folder of [this.#bare, this.#work]) mkdirSync(folder, { recursive: true });
    git(this.#work, 'init', '--quiet', '--initial-branch=main', '.');
    git(this.#bare, 'init', '--quiet', '--bare', '--initial-branch=main', '.');
    for (const key of ['uploadpack.allowFilter', 'uploadpack.allowAnySHA1InWant']) git(this.#bare, 'config', key, 'true');
  }

  commit(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.#work, path)), { recursive: true });
      writeFileSync(join(this.#work, path), content);
    }
    git(this.#work, 'add', '--all');
    git(this.#work, 'commit', '--quiet', '--message', 'change');
    git(this.#work, 'push', '--quiet', '--force', this.#bare, 'HEAD:refs/heads/main');
  }
}

function git(cwd: string, ...args: readonly string[]): void {
  const name = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.org' };
  const committer = { GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.org' };
  execFileSync('git', args, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, GIT_CONFIG_NOSYSTEM: '1', ...name, ...committer },
  });
}
