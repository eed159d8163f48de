/**
 * What the configuration takes from the machine besides its own text: environment, folders, files. One object, so that tests can put any machine
 * around a configuration.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, resolve } from 'node:path';

export interface Environment {
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Absolute path; relative paths of the configuration begin here
   * (docs/design/protocol.md, "Deliberate differences from the original").
   */
  readonly cwd: string;
  /** The folder that `~` stands for; `undefined`: this user has none. */
  readonly home: string | undefined;
  readonly readFile: ReadFile;
}

/** Reads a file of at most `limit` bytes. */
export type ReadFile = (path: string, limit: number) => Promise<FileContent | FileFailure>;

export interface FileContent {
  readonly kind: 'content';
  readonly bytes: Uint8Array;
  /** Permission bits as of POSIX; 0 where the system has none. */
  readonly mode: number;
}

export interface FileFailure {
  readonly kind: 'missing' | 'folder' | 'not-a-file' | 'forbidden' | 'too-large' | 'unreadable';
  /** The system's own name of the failure, such as `EIO`. */
  readonly code: string;
}

/** After the name of a file. */
export const fileFaults: Readonly<Record<FileFailure['kind'], string>> = {
  missing: 'which does not exist',
  folder: 'which is a folder',
  'not-a-file': 'which is not a regular file',
  forbidden: 'which this user cannot read',
  'too-large': 'which is too large',
  unreadable: 'which cannot be read',
};

export function thisMachine(): Environment {
  return { env: process.env, cwd: process.cwd(), home: process.env['HOME'] ?? homeFolder(), readFile };
}

/** A user without an entry in the list of users has none, such as that of a unit with `DynamicUser`. */
function homeFolder(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}

/** `~`, `$VAR` and `${VAR}` replaced as the original does it; what is not set stays as it is. */
export function expandPath(path: string, { env, home }: Pick<Environment, 'env' | 'home'>): string {
  const fromHome = home !== undefined && /^~(?:\/|$)/.test(path) ? home + path.slice(1) : path;
  return fromHome.replace(
    VARIABLE,
    (whole, plain: string | undefined, braced: string | undefined) => env[plain ?? braced ?? ''] ?? whole,
  );
}

/** Variables in a path that are not set. */
export function unsetVariables(path: string, env: Environment['env']): string[] {
  return [...path.matchAll(VARIABLE)]
    .filter(([, plain, braced]) => env[plain ?? braced ?? ''] === undefined)
    .map(([whole]) => whole);
}

export function absolutePath(path: string, environment: Environment): string {
  const expanded = expandPath(path, environment);
  return isAbsolute(expanded) ? resolve(expanded) : resolve(environment.cwd, expanded);
}

const VARIABLE = /\$(?:(\w{1,200})|\{([^{}]{1,200})\})/g;

async function readFile(path: string, limit: number): Promise<FileContent | FileFailure> {
  let file: FileHandle | undefined;
  try {
    // Not blocking, because opening a pipe would wait for its other end.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (stats.isDirectory()) return { kind: 'folder', code: 'EISDIR' };
    if (!stats.isFile()) return { kind: 'not-a-file', code: 'EINVAL' };
    if (stats.size > limit) return { kind: 'too-large', code: 'EFBIG' };
    const bytes = await firstBytes(file, limit + 1);
    if (bytes.length > limit) return { kind: 'too-large', code: 'EFBIG' };
    return { kind: 'content', bytes, mode: process.platform === 'win32' ? 0 : stats.mode & 0o777 };
  } catch (error) {
    return failureOf(error);
  } finally {
    await file?.close();
  }
}

async function firstBytes(file: FileHandle, most: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  const stream = file.createReadStream({ start: 0, end: most - 1, autoClose: false });
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function failureOf(error: unknown): FileFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return { kind: 'missing', code };
    case 'EISDIR':
      return { kind: 'folder', code };
    case 'EACCES':
    case 'EPERM':
      return { kind: 'forbidden', code };
    case 'ENXIO':
      return { kind: 'not-a-file', code };
    default:
      return { kind: 'unreadable', code };
  }
}
