/**
 * Finds citations of the project's documents and reports those whose file or heading does not exist.
 *
 * A citation names a file and, where possible, a heading in quotes, for example docs/design/protocol.md, "HTTP". In
 * comments and in Markdown every mention of a Markdown file counts. In other text only a mention with a heading counts.
 * Links in Markdown count too.
 */
import { dirname, join, normalize } from 'node:path';

export interface Repository {
  /** Whether there is a file or folder; paths are relative to the root of the repository. */
  readonly exists: (path: string) => boolean;
  readonly read: (path: string) => string;
}

interface Citation {
  readonly file: string;
  readonly headings: readonly string[];
}

interface Link {
  /** As in the link; empty for a link within the page. */
  readonly file: string;
  /** Without `#`; empty when the link names none. */
  readonly anchor: string;
}

const MENTION = /(?<![\w/.:-])(?<file>[\w./-]*\w\.md)\b`?(?<headings>(?:,? (?:and )?"[^"]+")*)/g;
const LINK = /\]\((?![a-z]+:)(?<file>[^)#\s]*)(?:#(?<anchor>[^)\s]*))?\)/g;
/** The name of a document with a section, but without a file that a reader could open. */
const WITHOUT_FILE = /\b[A-Z][A-Z-]{3,} §+ ?\d[\d.]*|\b(?:PROTOCOL|ALLOCATION), "[^"]+"/g;

/** A sentence for each citation in `text`, the content of `path`, whose file or heading does not exist. */
export function brokenCitations(path: string, text: string, repository: Repository): string[] {
  const isPage = path.endsWith('.md');
  const prose = isPage ? withoutCode(text) : commentsOf(text);
  const withHeading = mentionsIn(onOneLine(text)).filter(({ headings }) => headings.length > 0);
  const withoutHeading = mentionsIn(onOneLine(prose.replace(LINK, ']'))).filter(({ headings }) => headings.length === 0);
  const unnamed = [...onOneLine(prose).matchAll(WITHOUT_FILE)].map(([citation]) => `${path} cites ${citation} without its file`);
  return [
    ...unnamed,
    ...[...withHeading, ...withoutHeading].flatMap((citation) => faultsOfCitation(path, citation, repository)),
    ...(isPage ? linksIn(prose).flatMap((link) => faultsOfLink(path, link, repository)) : []),
  ];
}

/** The headings of a page, without marks. */
export function headingsOf(markdown: string): string[] {
  return [...withoutCode(markdown).matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading = '']) => heading.replace(/[`*_]/g, ''));
}

function mentionsIn(text: string): Citation[] {
  return [...text.matchAll(MENTION)].map(({ groups }) => ({
    file: groups?.['file'] ?? '',
    headings: [...(groups?.['headings'] ?? '').matchAll(/"([^"]+)"/g)].map(([, heading = '']) => heading),
  }));
}

function linksIn(markdown: string): Link[] {
  return [...markdown.matchAll(LINK)].map(({ groups }) => ({
    file: groups?.['file'] ?? '',
    anchor: groups?.['anchor'] ?? '',
  }));
}

function faultsOfCitation(path: string, { file, headings }: Citation, repository: Repository): string[] {
  const target = [file, beside(path, file)].find((candidate) => repository.exists(candidate));
  if (target === undefined) return [`${path} cites ${file}, which does not exist`];
  const known = headings.length === 0 ? [] : headingsOf(repository.read(target));
  return headings
    .filter((heading) => !known.includes(heading))
    .map((heading) => `${path} cites ${file}, "${heading}", but there is no such heading`);
}

function faultsOfLink(path: string, { file, anchor }: Link, repository: Repository): string[] {
  const target = file === '' ? path : beside(path, file);
  if (!repository.exists(target)) return [`${path} links to ${file}, which does not exist`];
  if (anchor === '' || !target.endsWith('.md')) return [];
  const known = headingsOf(repository.read(target)).map(anchorOf);
  return known.includes(anchor) ? [] : [`${path} links to ${file}#${anchor}, but there is no such heading`];
}

/** The path in the repository that `file` means in the file `path`. */
function beside(path: string, file: string): string {
  return normalize(join(dirname(path), file)).replace(/\/$/, '');
}

/** The anchor that forges such as GitHub derive from a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function commentsOf(code: string): string {
  return [...code.matchAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm)].map(([comment]) => comment).join('\n\n');
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^( *```).*\n[^]*?^\1 *$/gm, '');
}

/** A citation may contain line breaks, also between two lines of a comment. */
function onOneLine(text: string): string {
  return text.replace(/[ \t]*\n[ \t]*(?:\*(?!\/)|\/\/|>)?[ \t]*(?=\S)/g, ' ');
}
