/** Files that are written for an operator: shown first, and never over a different file without `force`; that file is then kept as a copy. */
import { existsSync } from 'node:fs';
import { chmod, copyFile, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../system/make-folder.ts';

export interface PlannedFile {
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
  /** Permissions, as of `chmod`. */
  readonly mode: number;
}

/** Of folders that are made: the service has to get through. */
const FOLDER_MODE = 0o755;

export type WriteResult =
  | { readonly kind: 'written'; readonly lines: readonly string[] }
  /** Nothing was written. */
  | { readonly kind: 'refused'; readonly reason: string };

/** The file as it is shown before it is written. */
export function showFile({ path, text, mode }: PlannedFile): string {
  const frame = `──── ${path} (${mode.toString(8).padStart(4, '0')}) `;
  return `${frame}${'─'.repeat(Math.max(3, 80 - frame.length))}\n${text}`;
}

/** Writes all or, when one is in the way and `force` is not given, none. Throws what the file system throws. */
export async function writeFiles(files: readonly PlannedFile[], { force }: { readonly force: boolean }): Promise<WriteResult> {
  const inTheWay: string[] = [];
  const same = new Set<string>();
  const lines: string[] = [];
  for (const { path, text } of files) {
    if (!existsSync(path)) continue;
    if ((await readFile(path, 'utf8')) === text) same.add(path);
    else inTheWay.push(path);
  }
  if (inTheWay.length > 0 && !force)
    return {
      kind: 'refused',
      reason: `${inTheWay.join(' and ')} already exists and is different; nothing was written. Use --force to replace it and keep a copy beside it`,
    };
  for (const file of files) lines.push(...(same.has(file.path) ? await leave(file) : await replace(file)));
  return { kind: 'written', lines };
}

/** The text is right, but perhaps not the permissions: an older file may have been written with another umask. */
async function leave({ path, mode }: PlannedFile): Promise<string[]> {
  const unchanged = `${path} is up to date`;
  if (((await stat(path)).mode & mode) === mode) return [unchanged];
  await chmod(path, mode);
  return [`${unchanged}; its permissions were corrected`];
}

async function replace({ path, text, mode }: PlannedFile): Promise<string[]> {
  const lines: string[] = [];
  if (existsSync(path)) {
    const backup = freeBackup(path);
    await copyFile(path, backup);
    lines.push(`${path} was kept as ${backup}`);
  }
  await makeFolder(dirname(path), FOLDER_MODE);
  const next = `${path}.new`;
  await writeFile(next, text, { mode });
  // The umask removed permissions that the service needs, or the file existed.
  await chmod(next, mode);
  await rename(next, path);
  lines.push(`${path} was written`);
  return lines;
}

function freeBackup(path: string): string {
  for (let number = 1; ; number += 1) {
    const backup = `${path}.backup${number === 1 ? '' : `-${number}`}`;
    if (!existsSync(backup)) return backup;
  }
}
