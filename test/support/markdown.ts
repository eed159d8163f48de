/** The Markdown files of the repository, and what tests want to know of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

const NOT_OURS = /(?:^|\/)(?:node_modules|dist|coverage|log|state|\.git)(?:\/|$)/;

/** Paths from the root, in the order of the alphabet. */
export function markdownFiles(): readonly string[] {
  const below = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (NOT_OURS.test(path)) return [];
      if (entry.isDirectory()) return below(path);
      return entry.name.endsWith('.md') ? [path] : [];
    });
  return below('').sort();
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** Lines outside blocks of code. */
export function proseLines(page: string): readonly Line[] {
  let inCode = false;
  return page.split('\n').flatMap((text, index) => {
    const isFence = /^ *```/.test(text);
    if (isFence) inCode = !inCode;
    return isFence || inCode ? [] : [{ number: index + 1, text }];
  });
}

export function isTableRow({ text }: Line): boolean {
  return text.startsWith('|');
}

/** The cells of a row of a table, without the space around them. */
export function cellsOf({ text }: Line): readonly string[] {
  return text
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** What `#…` may name on a page, as forges make it from headings. */
export function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const { text } of proseLines(page)) {
    const heading = /^#{1,6} +(.*?) *$/.exec(text)?.[1];
    if (heading === undefined) continue;
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    let name = anchor;
    for (let count = 1; anchors.has(name); count += 1) name = `${anchor}-${count}`;
    anchors.add(name);
  }
  return anchors;
}

export interface Link {
  readonly line: number;
  /** As written: a path from the page, `#anchor`, or a URL. */
  readonly target: string;
}

export function linksOf(page: string): readonly Link[] {
  return proseLines(page).flatMap(({ number, text }) =>
    [...text.replace(/`[^`]*`/g, '').matchAll(/\]\(<?([^)>\s]+)>?\)|(?:src|href)="([^"]+)"/g)].map(([, link, source]) => ({
      line: number,
      target: link ?? source ?? '',
    })),
  );
}
