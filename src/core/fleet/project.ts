/**
 * What a client asks to run: strict reading of the optional `url=` of a session request.
 *
 * The text travels on to a simulation server that builds shell commands from it, and it decides which servers are asked at all. So this is a list of
 * what is allowed, not of what is forbidden: whatever a simulation server could not clone and start, or could understand otherwise than we do, is
 * refused with the name of a rule and a sentence a student can act on. Nothing is repaired, because the client sends its own text to the simulation
 * server, not ours. The text from outside stands in no reason but shortened and with everything unusual escaped (`shown`); only a character of a shell,
 * which is printable ASCII, is named as it is, for the person who has to find it.
 *
 * Accepted are, on `github.com` and on hosts the operator allows:
 *
 *     https://github.com/owner/name
 *     https://github.com/owner/name/tree/version[/folder…]
 *     https://github.com/owner/name/blob/version/folder…/worlds/world.wbt     (`tree` instead of `blob` too, as old documentation has it)
 *     webots://github.com/owner/name/tag/version/folder…/worlds/world.wbt     (`branch` too; clients before R2022a)
 *
 * A version with a slash in it cannot be told from a folder; simulation servers take the first element for the version, and so does this.
 */

import { REDACTED, withoutSecrets } from '../text/secrets.ts';

export interface Project {
  /** The normalised URL: scheme and host in lower case, `blob` before a world and `tree` before a folder. Reading it gives the same project. */
  readonly url: string;
  /**
   * What learned costs are kept under: repository and path without the version, because a world costs about the same on every branch and a hundred
   * thousand invented branches must not be a hundred thousand projects. At most `MAX_KEY` characters.
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

/** Every reason to refuse a project URL, by its stable name. */
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

/** Reads a project URL after one percent-decoding, as it stands in a parsed query or a JSON body. Never throws. */
export function parseProject(text: string, options: ProjectOptions = {}): ProjectResult {
  return refusedAsText(text) ?? readUrl(text, options);
}

/**
 * The text of the parameter `url` in a raw query string (with or without the `?`), or `undefined` when there is none that says anything. Clients append
 * the project URL as it is, so that a `+` in it is a plus, while form decoding would make it a space.
 */
export function projectParameter(query: string): string | undefined {
  for (const field of query.replace(/^\?/, '').split('&')) {
    if (!field.startsWith('url=') || field.length === 4) continue;
    const text = field.slice(4);
    try {
      return decodeURIComponent(text);
    } catch {
      // A `%` that is no encoding: `parseProject` says so to the client.
      return text;
    }
  }
  return undefined;
}

/**
 * What stands for a project that cannot be read wherever people look for it: the text that was sent, at most `MAX_PROJECT_URL` characters of it, and
 * without secrets, because the monitor is open to everybody and students paste addresses with a login or a token in them.
 */
export function asSent(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const told = withoutSecrets(text.slice(0, MAX_SEARCHED)).replace(LOGIN, `$1${REDACTED}@`);
  if (told.length <= MAX_PROJECT_URL) return told;
  return `${told.slice(0, MAX_PROJECT_URL - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** A login where it stands without the `https://` before it, or after too many slashes. */
const LOGIN = /(^|\/)[^\s/?#:@]+:[^\s/?#@]+@/g;
/** Characters that are searched for secrets; more than are told, so that none is cut in the middle and not found. */
const MAX_SEARCHED = 10 * MAX_PROJECT_URL;

/** Text from outside, fit to stand in a sentence or a log line: shortened, and everything that is not plain ASCII escaped. */
export function shown(text: string, longest = 60): string {
  const escaped = (part: string) =>
    part.replace(/[^\x20-\x7e]|["`<>&\\]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  if (text.length <= longest) return escaped(text);
  return `${escaped(text.slice(0, longest - 1))}...`;
}

const GITHUB = 'github.com';
const EXAMPLE = 'https://github.com/owner/name/blob/main/worlds/world.wbt';

/** GitHub's own limit is 39 characters; the names of managed users contain an underscore. */
const GITHUB_OWNER = /^[a-z0-9][a-z0-9_-]{0,38}$/i;
const NAME = /^[a-z0-9._-]{1,100}$/i;
/** What a shell, in quotes or not, gives a meaning to; a simulation server runs `git clone` through one. */
const SHELL_METACHARACTER = /[!"$&'()*:;<>@[\]^`{|}~]/;
const SEGMENT = /^[\p{L}\p{M}\p{N}._+,=-]+$/u;

type Refusal = Extract<ProjectResult, { kind: 'refused' }>;

/** What can be said of the text before it is taken apart. */
function refusedAsText(text: string): Refusal | undefined {
  if (text === '') return refused('empty', `The project URL is empty; write one such as ${EXAMPLE}`);
  if (text.length > MAX_PROJECT_URL)
    return refused('too-long', `The project URL has more than ${MAX_PROJECT_URL} characters; shorten the names of its folders.`);
  if (/[\p{Cc}\p{Cf}\p{Cs}]/u.test(text))
    return refused('control-character', 'The project URL contains an invisible character; type it instead of pasting it.');
  if (/\s/u.test(text))
    return refused(
      'white-space',
      'The project URL contains a space, and simulation servers cannot run such a project; rename the folder or file.',
    );
  if (text.includes('\\')) return refused('backslash', 'The project URL contains a backslash; write / between its parts.');
  if (text.includes('%'))
    return refused(
      'percent-encoding',
      'The project URL contains a percent sign; write its characters themselves, not their encoding.',
    );
  return undefined;
}

function readUrl(text: string, { otherHosts = [] }: ProjectOptions): ProjectResult {
  const parts = /^(?:(?<scheme>https|webots):\/\/)(?<authority>[^/?#]*)(?<rest>.*)$/iu.exec(text)?.groups;
  if (parts === undefined) return refused('scheme', `The project URL must begin with https:// as in ${EXAMPLE}`);
  const { scheme = '', authority = '', rest = '' } = parts;

  if (authority.includes('@')) return refused('user-info', 'The project URL contains a user name before an @; leave it out.');
  if (/^[^:[]*:/.test(authority)) return refused('port', 'The project URL names a port; leave it out.');
  const host = authority.toLowerCase();
  if (host !== GITHUB && !otherHosts.some((other) => other.toLowerCase() === host)) {
    const allowed = [GITHUB, ...otherHosts].join(', ');
    return refused(
      'host',
      `Projects may come from ${shown(allowed, 200)}, not from ${/^[\w.-]+$/.test(host) ? shown(host, 40) : 'elsewhere'}; put the project on ${GITHUB}.`,
    );
  }
  if (rest.includes('#')) return refused('fragment', 'The project URL contains a #; leave out what begins there.');
  if (rest.includes('?')) return refused('query', 'The project URL contains a question mark; leave out what begins there.');
  return readPath(rest, host, scheme.toLowerCase() === 'webots');
}

function readPath(rest: string, host: string, oldScheme: boolean): ProjectResult {
  const [, ...segments] = rest.split('/');
  // One slash at the end of a repository or a folder is what browsers show; after a world it would be sent on and not be found.
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
      `After the repository, the project URL must go on with ${words} and a branch or tag, as in ${EXAMPLE}`,
    );
  }
  const isWorld = path.at(-1)?.endsWith('.wbt') === true;
  if (kind === 'blob' && !isWorld)
    return refused('world', `The project URL must end in the name of a world file, as in ${EXAMPLE}`);
  return project({ host, owner, name, version, ...(path.length > 0 && { path: path.join('/') }) });
}

function refusedSegment(segment: string): Refusal | undefined {
  if (segment === '')
    return refused('empty-segment', 'The project URL contains two slashes in a row or one after the world; leave one out.');
  const metacharacter = SHELL_METACHARACTER.exec(segment)?.[0];
  if (metacharacter !== undefined)
    return refused(
      'shell-metacharacter',
      `The project URL contains the character ${metacharacter}, which may not stand in one; rename the folder or file.`,
    );
  if (segment === '.' || segment.includes('..'))
    return refused('dot-segment', 'The project URL contains a part of dots that leads elsewhere; write the path without it.');
  if (segment.startsWith('-'))
    return refused(
      'leading-dash',
      'A part of the project URL begins with a dash, which simulation servers would take for an option; rename it.',
    );
  if (!SEGMENT.test(segment))
    return refused(
      'character',
      'The project URL contains a character that is no letter, digit or one of . _ + , = -; rename the folder or file.',
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

/** A long key keeps its beginning for people and gets a hash of the whole, so that two worlds of a deep folder stay apart. */
function bounded(key: string): string {
  if (key.length <= MAX_KEY) return key;
  const mark = `#${fnv1a(key, 0x811c9dc5)}${fnv1a(key, 0x01000193)}`;
  return `${key.slice(0, MAX_KEY - mark.length).replace(/[\ud800-\udbff]$/, '')}${mark}`;
}

/** FNV-1a over UTF-16 units: eight hexadecimal digits. It keeps honest keys apart; nothing but a cost estimate hangs on it. */
function fnv1a(text: string, start: number): string {
  let hash = start;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

function refused(rule: ProjectRule, reason: string): Refusal {
  return { kind: 'refused', rule, reason };
}
