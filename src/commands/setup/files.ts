/** Files that are written for an operator: shown before, never over another without being told to, and then with a copy of the other. */
import { existsSync } from 'node:fs';
import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../make-folder.ts';

export interface PlannedFile {
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
  /** Permissions, as of `chmod`. */
  readonly mode: number;
}

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
  for (const { path, text } of files) {
    if (!existsSync(path)) continue;
    if ((await readFile(path, 'utf8')) === text) same.add(path);
    else inTheWay.push(path);
  }
  if (inTheWay.length > 0 && !force)
    return {
      kind: 'refused',
      reason: `${inTheWay.join(' and ')} exists and is different; nothing was written. With --force it is replaced, and kept as a copy beside it`,
    };
  const lines: string[] = [];
  for (const file of files) {
    if (same.has(file.path)) lines.push(`${file.path} is as it should be`);
    else lines.push(...(await replace(file)));
  }
  return { kind: 'written', lines };
}

async function replace({ path, text, mode }: PlannedFile): Promise<string[]> {
  const lines: string[] = [];
  if (existsSync(path)) {
    const backup = freeBackup(path);
    await copyFile(path, backup);
    lines.push(`${path} was kept as ${backup}`);
  }
  await makeFolder(dirname(path));
  const next = `${path}.new`;
  await writeFile(next, text, { mode });
  await rename(next, path);
  lines.push(`${path} is written`);
  return lines;
}

function freeBackup(path: string): string {
  for (let number = 1; ; number += 1) {
    const backup = `${path}.backup${number === 1 ? '' : `-${number}`}`;
    if (!existsSync(backup)) return backup;
  }
}
