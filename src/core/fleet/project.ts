/**
 * What a client wants to run: strict reading of the optional `url=` of a session request.
 *
 * The text is forwarded to a simulation server that builds shell commands from it, and it decides which servers may run it. So this is a list of what is
 * allowed, not of what is forbidden: a URL that a simulation server could not clone and start, or could understand differently, is rejected with the name
 * of a rule and a sentence that a student can act on. Nothing is repaired, because the client sends its own text to the simulation server, not ours.
 * Reasons contain text from outside only shortened and with unusual characters escaped (`shown`). The exception is a single character with a meaning in a
 * shell, which is printable ASCII and shown as it is, so that the student can find it.
 *
 * Accepted on `github.com` and on hosts the operator allows:
 *
 *     https://github.com/owner/name
 *     https://github.com/owner/name/tree/version[/folder…]
 *     https://github.com/owner/name/blob/version/folder…/worlds/world.wbt     (`tree` instead of `blob` too, as old documentation has it)
 *     webots://github.com/owner/name/tag/version/folder…/worlds/world.wbt     (`branch` too; clients before R2022a)
 *
 * A version that contains a slash looks like a folder. Simulation servers take the first element as the version, and so does this.
 */

import { REDACTED, withoutSecrets } from '../text/secrets.ts';

export interface Project {
  /** The normalised URL: scheme and host in lower case, `blob` before a world and `tree` before a folder. Parsing it gives the same project. */
  readonly url: string;
  /**
   * The key of learned costs: repository and path without the version, because a world costs about the same on every branch and a hundred thousand
   * invented branches must not be a hundred thousand projects. At most `MAX_KEY` characters.
   */
  readonly key: string;
  /** Host, owner and name in lower case, as in `github.com/cyberbotics/webots`. */
  readonly repository: string;
  readonly host: string;
  /** As written. */
  readonly owner: string;
  /** As written. */
  readonly name: string;
  /** Branch or tag. */
  readonly version?: string;
  /** Below the repository, without a slash at either end. */
  readonly path?: string;
  /** Name of the world file, when the path is one. */
  readonly world?: string;
}

/** Every reason to reject a project URL, by its stable name. */
export const PROJECT_RULES = [
  'empty',
  'too-long',
  'control-character',
  'white-space',
  'backslash',
  'percent-encoding',
  'scheme',
  'user-info',
  'port',
  'host',
  'fragment',
  'query',
  'shell-metacharacter',
  'character',
  'dot-segment',
  'empty-segment',
  'leading-dash',
  'owner',
  'repository',
  'version',
  'world',
] as const;

export type ProjectRule = (typeof PROJECT_RULES)[number];

export type ProjectResult =
  | { readonly kind: 'project'; readonly project: Project }
  | { readonly kind: 'refused'; readonly rule: ProjectRule; readonly reason: string };

export interface ProjectOptions {
  /** Hosts besides `github.com` from which projects may come, in any case. */
  readonly otherHosts?: readonly string[];
}

/** Characters of a project URL. */
export const MAX_PROJECT_URL = 1000;
/** Characters of `Project.key`. */
export const MAX_KEY = 200;

/** Reads a project URL that was percent-decoded once, as in a parsed query or a JSON body. Never throws. */
export function parseProject(text: string, options: ProjectOptions = {}): ProjectResult {
  return refusedAsText(text) ?? readUrl(text, options);
}

/**
 * The text of the parameter `url` in a raw query string (with or without the `?`), or `undefined` when it is missing or empty. Clients append the
 * project URL as it is, so a `+` in it is a plus, while form decoding would turn it into a space.
 */
export function projectParameter(query: string): string | undefined {
  for (const field of query.replace(/^\?/, '').split('&')) {
    if (!field.startsWith('url=') || field.length === 4) continue;
    const text = field.slice(4);
    try {
      return decodeURIComponent(text);
    } catch {
      // A `%` that does not encode anything: `parseProject` reports it to the client.
      return text;
    }
  }
  return undefined;
}

/**
 * What people see of a project URL: at most `MAX_PROJECT_URL` characters, and without secrets, because the monitor is public and students paste
 * addresses that contain a login or a token. A project needs nothing after `?`, `#` or `;`, and the names of secrets there are countless, so nothing
 * after them is shown, even where they are encoded. A user name may be a token, too.
 */
export function asSent(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const [place = '', mark = ''] = text.slice(0, MAX_SEARCHED).split(AFTER_PLACE, 2);
  const safe = withoutSecrets(place).replace(LOGIN, `$1${REDACTED}@`) + (mark === '' ? '' : `${mark}…`);
  if (safe.length <= MAX_PROJECT_URL) return safe;
  return `${safe.slice(0, MAX_PROJECT_URL - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

const AFTER_PLACE = /([?#;]|%(?:25){0,9}(?:3f|23|3b))/i;
/** A login without `https://` before it, or after too many slashes. The name of `git@host:path` is public. */
const LOGIN = /(^|\/)(?!git@)[^/@]+@/g;
/** Characters that are searched for secrets: more than are shown, so that a secret is not cut in two and missed. */
const MAX_SEARCHED = 10 * MAX_PROJECT_URL;

/** Text from outside that is safe in a sentence or a log line: shortened, with everything but plain ASCII escaped. */
export function shown(text: string, maxLength = 60): string {
  const escaped = (part: string) =>
    part.replace(/[^\x20-\x7e]|["`<>&\\]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  if (text.length <= maxLength) return escaped(text);
  return `${escaped(text.slice(0, maxLength - 1))}...`;
}

const GITHUB = 'github.com';
const EXAMPLE = 'https://github.com/owner/name/blob/main/worlds/world.wbt';

/** GitHub's own limit is 39 characters; the names of managed users contain an underscore. */
const GITHUB_OWNER = /^[a-z0-9][a-z0-9_-]{0,38}$/i;
const NAME = /^[a-z0-9._-]{1,100}$/i;
/** Characters with a meaning in a shell, in quotes or not. A simulation server runs `git clone` through a shell. */
const SHELL_METACHARACTER = /[!"$&'()*:;<>@[\]^`{|}~]/;
const SEGMENT = /^[\p{L}\p{M}\p{N}._+,=-]+$/u;

type Refusal = Extract<ProjectResult, { kind: 'refused' }>;

/** What can be checked before the text is split. */
function refusedAsText(text: string): Refusal | undefined {
  if (text === '') return refused('empty', `The project URL is empty; write one such as ${EXAMPLE}`);
  if (text.length > MAX_PROJECT_URL)
    return refused('too-long', `The project URL has more than ${MAX_PROJECT_URL} characters; use shorter folder names.`);
  if (/[\p{Cc}\p{Cf}\p{Cs}]/u.test(text))
    return refused('control-character', 'The project URL contains an invisible character; type the URL instead of pasting it.');
  if (/\s/u.test(text))
    return refused(
      'white-space',
      'The project URL contains a space, and simulation servers cannot run such a project; rename the folder or file.',
    );
  if (text.includes('\\')) return refused('backslash', 'The project URL contains a backslash; use / instead.');
  if (text.includes('%'))
    return refused(
      'percent-encoding',
      'The project URL contains a percent sign; write the characters themselves, not their encoding.',
    );
  return undefined;
}

function readUrl(text: string, { otherHosts = [] }: ProjectOptions): ProjectResult {
  const parts = /^(?:(?<scheme>https|webots):\/\/)(?<authority>[^/?#]*)(?<rest>.*)$/iu.exec(text)?.groups;
  if (parts === undefined) return refused('scheme', `The project URL must begin with https:// as in ${EXAMPLE}`);
  const { scheme = '', authority = '', rest = '' } = parts;

  if (authority.includes('@')) return refused('user-info', 'The project URL contains a user name before an @; remove it.');
  if (/^[^:[]*:/.test(authority)) return refused('port', 'The project URL contains a port; remove it.');
  const host = authority.toLowerCase();
  if (host !== GITHUB && !otherHosts.some((other) => other.toLowerCase() === host)) {
    const allowed = shown([GITHUB, ...otherHosts].join(', '), 200);
    const other = /^[\w.-]+$/.test(host) ? `on ${shown(host, 40)}` : 'on another host';
    return refused('host', `Only projects on ${allowed} can run here; this one is ${other}.`);
  }
  if (rest.includes('#')) return refused('fragment', 'The project URL contains a #; remove it and everything after it.');
  if (rest.includes('?')) return refused('query', 'The project URL contains a question mark; remove it and everything after it.');
  return readPath(rest, host, scheme.toLowerCase() === 'webots');
}

function readPath(rest: string, host: string, oldScheme: boolean): ProjectResult {
  const [, ...segments] = rest.split('/');
  // Browsers show one slash at the end of a repository or a folder. After a world it would be forwarded, and the world would not be found.
  if (segments.at(-1) === '' && !segments.at(-2)?.endsWith('.wbt')) segments.pop();
  for (const segment of segments) {
    const refusal = refusedSegment(segment);
    if (refusal !== undefined) return refusal;
  }
  const [owner, name, kind, version, ...path] = segments;
  if (owner === undefined || !(host === GITHUB ? GITHUB_OWNER : NAME).test(owner))
    return refused('owner', `The project URL has no valid owner after the host; it looks like ${EXAMPLE}`);
  if (name === undefined || !NAME.test(name) || /\.git$/i.test(name))
    return refused(
      'repository',
      `The project URL has no valid repository name after the owner (without .git); it looks like ${EXAMPLE}`,
    );
  if (kind === undefined) return project({ host, owner, name });
  if (!(oldScheme ? ['tag', 'branch'] : ['blob', 'tree']).includes(kind) || version === undefined) {
    const words = oldScheme ? 'tag/ or branch/' : 'blob/ or tree/';
    return refused(
      'version',
      `After the repository, the project URL must continue with ${words} and a branch or tag, as in ${EXAMPLE}`,
    );
  }
  const isWorld = path.at(-1)?.endsWith('.wbt') === true;
  if (kind === 'blob' && !isWorld)
    return refused('world', `The project URL must end in the name of a world file, as in ${EXAMPLE}`);
  return project({ host, owner, name, version, ...(path.length > 0 && { path: path.join('/') }) });
}

function refusedSegment(segment: string): Refusal | undefined {
  if (segment === '')
    return refused('empty-segment', 'The project URL contains two slashes in a row or one after the world; remove one.');
  const metacharacter = SHELL_METACHARACTER.exec(segment)?.[0];
  if (metacharacter !== undefined)
    return refused(
      'shell-metacharacter',
      `The project URL contains the character ${metacharacter}, which is not allowed; rename the folder or file.`,
    );
  if (segment === '.' || segment.includes('..'))
    return refused('dot-segment', 'The project URL contains .. or a part that is a single dot; write the path without it.');
  if (segment.startsWith('-'))
    return refused(
      'leading-dash',
      'A part of the project URL begins with a dash, which simulation servers would read as an option; rename it.',
    );
  if (!SEGMENT.test(segment))
    return refused(
      'character',
      'The project URL contains a character other than letters, digits and . _ + , = -; rename the folder or file.',
    );
  return undefined;
}

function project(parts: Pick<Project, 'host' | 'owner' | 'name' | 'version' | 'path'>): ProjectResult {
  const { host, owner, name, version, path } = parts;
  const repository = `${host}/${owner}/${name}`.toLowerCase();
  const last = path?.slice(path.lastIndexOf('/') + 1);
  const world = last?.endsWith('.wbt') === true ? last : undefined;
  const below =
    version === undefined ? '' : `/${world === undefined ? 'tree' : 'blob'}/${version}${path === undefined ? '' : `/${path}`}`;
  return {
    kind: 'project',
    project: {
      url: `https://${host}/${owner}/${name}${below}`,
      key: bounded(path === undefined ? repository : `${repository}/${path}`),
      repository,
      ...parts,
      ...(world !== undefined && { world }),
    },
  };
}

/** A long key keeps its beginning, for people, and gets a hash of the whole, so that two worlds in a deep folder have different keys. */
function bounded(key: string): string {
  if (key.length <= MAX_KEY) return key;
  const mark = `#${fnv1a(key, 0x811c9dc5)}${fnv1a(key, 0x01000193)}`;
  return `${key.slice(0, MAX_KEY - mark.length).replace(/[\ud800-\udbff]$/, '')}${mark}`;
}

/** FNV-1a over UTF-16 units: eight hexadecimal digits. Only a cost estimate depends on it. */
function fnv1a(text: string, start: number): string {
  let hash = start;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

function refused(rule: ProjectRule, reason: string): Refusal {
  return { kind: 'refused', rule, reason };
}
