/** A real repository of a project, in a folder, and a web server that serves such repositories as GitHub does. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { Scope } from './start-program.ts';

export const WORLD = '#VRML_SIM R2025a utf8\nWorldInfo {}\n';

export class GitRepository {
  /** Of the bare repository, without `.git`. */
  readonly path: string;
  readonly #work: string;

  /** `name` is as in `acme/arm`; the bare repository is `root/acme/arm.git`. */
  constructor(root: string, name: string) {
    this.path = join(root, name);
    this.#work = join(root, '.work', name);
    mkdirSync(this.#work, { recursive: true });
    mkdirSync(dirname(this.path), { recursive: true });
    this.git('init', '--quiet', '--initial-branch=main', '.');
    git(root, 'init', '--quiet', '--bare', '--initial-branch=main', `${this.path}.git`);
    for (const key of ['uploadpack.allowFilter', 'uploadpack.allowAnySHA1InWant']) git(`${this.path}.git`, 'config', key, 'true');
    git(`${this.path}.git`, 'config', 'http.uploadpack', 'true');
    git(`${this.path}.git`, 'config', 'http.receivepack', 'false');
    writeFileSync(join(`${this.path}.git`, 'git-daemon-export-ok'), '');
  }

  /** Commits files, and links from a path to a target; returns the commit. */
  commit(
    files: Readonly<Record<string, string | Uint8Array>>,
    links: Readonly<Record<string, string>> = {},
    branch = 'main',
  ): string {
    if (branch !== 'main') this.git('checkout', '--quiet', '-B', branch);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.#work, path)), { recursive: true });
      writeFileSync(join(this.#work, path), content);
    }
    for (const [path, target] of Object.entries(links)) symlinkSync(target, join(this.#work, path));
    this.git('add', '--all', '--force');
    this.git('commit', '--quiet', '--allow-empty', '--message', 'change');
    this.git('push', '--quiet', '--force', `${this.path}.git`, `HEAD:refs/heads/${branch}`);
    const commit = this.git('rev-parse', 'HEAD').trim();
    if (branch !== 'main') this.git('checkout', '--quiet', 'main');
    return commit;
  }

  tag(name: string): void {
    this.git('tag', '--annotate', '--force', '--message', name, name);
    this.git('push', '--quiet', '--force', `${this.path}.git`, `refs/tags/${name}`);
  }

  git(...args: readonly string[]): string {
    return git(this.#work, ...args);
  }
}

function git(cwd: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, {
    cwd,
    encoding: 'utf8',
    env: {
      ...{ PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', HOME: cwd },
      ...{
        GIT_AUTHOR_NAME: 'a',
        GIT_AUTHOR_EMAIL: 'a@example.org',
        GIT_COMMITTER_NAME: 'a',
        GIT_COMMITTER_EMAIL: 'a@example.org',
      },
    },
  });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** What the server does instead of answering as it should. */
export type Trouble = 'silent' | 'status-500' | 'status-404' | 'cut' | undefined;

export interface GitServer {
  /** Ends with a slash. */
  readonly url: string;
  trouble: Trouble;
  /** Requests so far, such as `GET /acme/arm.git/info/refs`. */
  readonly requests: string[];
}

/** Serves the bare repositories below `root` through Git's own program for that. */
export async function startGitServer(scope: Scope, root: string): Promise<GitServer> {
  const requests: string[] = [];
  const state: { trouble: Trouble } = { trouble: undefined };
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url?.split('?')[0] ?? ''}`);
    if (state.trouble === 'silent') return;
    if (state.trouble?.startsWith('status-') === true) {
      response.writeHead(Number(state.trouble.slice('status-'.length))).end();
      return;
    }
    passToGit(root, request, response, state.trouble === 'cut');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.after(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  );
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get trouble() {
      return state.trouble;
    },
    set trouble(trouble: Trouble) {
      state.trouble = trouble;
    },
    requests,
  };
}

function passToGit(root: string, request: IncomingMessage, response: ServerResponse, cut: boolean): void {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...{ PATH: process.env['PATH'], GIT_PROJECT_ROOT: root, PATH_INFO: path, QUERY_STRING: query },
      ...{ REQUEST_METHOD: request.method ?? 'GET', CONTENT_TYPE: request.headers['content-type'] ?? '' },
      ...(request.headers['content-encoding'] !== undefined && { HTTP_CONTENT_ENCODING: request.headers['content-encoding'] }),
      ...(request.headers['git-protocol'] !== undefined && { GIT_PROTOCOL: String(request.headers['git-protocol']) }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  let head = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (response.headersSent) {
      response.write(chunk);
      return;
    }
    head += chunk.toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const lines = head.slice(0, end).split('\r\n');
    const status = lines.find((line) => /^status:/i.test(line));
    const headers = lines
      .filter((line) => !/^status:/i.test(line))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const);
    response.writeHead(Number(status?.split(':')[1]?.trim().slice(0, 3) ?? 200), Object.fromEntries(headers));
    response.write(Buffer.from(head.slice(end + 4), 'latin1'));
    if (cut && request.method === 'POST') response.destroy();
  });
  child.once('close', () => response.end());
}
