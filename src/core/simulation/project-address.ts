/**
 * What a start message asks to run: the URL of a world file, read strictly by `parseProject`, with the refusals of the original simulation server word for
 * word where it has one. Whatever passes here consists of characters that mean nothing to a shell, a file system or Git; still, it is only ever data.
 */
import { parseProject, shown } from '../fleet/project.ts';

export interface RunnableProject {
  /** As it may be shown to people: normalised, plain text. */
  readonly url: string;
  /** What costs are kept under, as in the session server. */
  readonly key: string;
  /** Host, owner and name in lower case, as in `github.com/cyberbotics/webots`. */
  readonly repository: string;
  /** Where the repository is cloned from, without `.git`. */
  readonly remote: string;
  /**
   * How the rest may be read, the longest version first: a branch may have slashes in its name, and only the repository knows. `folder` is the folder above
   * `worlds`, empty for that of the repository.
   */
  readonly readings: readonly { readonly version: string; readonly folder: string }[];
  /** Name of the world file. */
  readonly world: string;
}

export type AddressResult =
  | { readonly kind: 'project'; readonly project: RunnableProject }
  /** `project` is known when only its form is wrong, so that rules about repositories can come first, as in the original. */
  | { readonly kind: 'refused'; readonly text: string; readonly repository?: string; readonly url?: string };

export interface AddressOptions {
  /** Hosts besides `github.com`. */
  readonly hosts: readonly string[];
  /** File extension of worlds, such as `.wbt`. */
  readonly extension: string;
}

/** Path segments of a version at most; branches have few. */
const MAX_VERSION_SEGMENTS = 6;

/** Never throws. */
export function readProjectAddress(text: string, { hosts, extension }: AddressOptions): AddressResult {
  if (!/^https:\/\//i.test(text)) return { kind: 'refused', text: `Unsupported URL protocol: ${shown(text)}` };
  const form = formProblem(text, extension);
  // To the reader of projects a world of another simulator is a folder.
  const asFolder = extension === '.wbt' ? text : text.replace(/^(https:\/\/[^/]*\/[^/]*\/[^/]*\/)blob\//i, '$1tree/');
  const result = parseProject(asFolder, { otherHosts: hosts });
  if (result.kind === 'refused') return { kind: 'refused', text: form ?? result.reason };
  const { repository, key, host, owner, name, version, path, url } = result.project;
  if (form !== undefined || version === undefined || path === undefined)
    return { kind: 'refused', text: form ?? WRONG, repository, url };
  const segments = [version, ...path.split('/')];
  const world = segments.pop() ?? '';
  segments.pop();
  const readings = segments
    .slice(0, MAX_VERSION_SEGMENTS)
    .map((_, index) => ({
      version: segments.slice(0, index + 1).join('/'),
      folder: segments.slice(index + 1).join('/'),
    }))
    .reverse();
  return { kind: 'project', project: { url, key, repository, remote: `https://${host}/${owner}/${name}`, readings, world } };
}

const WRONG = 'Wrong Webots simulation URL';

/** What the original says about the parts of the URL. */
function formProblem(text: string, extension: string): string | undefined {
  const [, , , ...parts] = text.split('/');
  if (parts.length < 6) return WRONG;
  const kind = parts[2] ?? '';
  if (kind !== 'blob' && kind !== 'tree') return `Missing blob in Webots simulation URL, founds ${shown(kind)}`;
  if (parts.at(-2) !== 'worlds') return 'Missing worlds folder in Webots simulation URL';
  if (parts.at(-1)?.endsWith(extension) !== true) return 'Missing world file in Webots simulation URL';
  return undefined;
}
