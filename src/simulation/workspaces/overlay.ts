/**
 * A workspace that is a layer above the shared checkout: nothing is copied, and what the session writes is limited by the size of a file system in memory.
 * It needs the right to mount.
 */
import { mkdir, readdir, readFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Launcher, Workspace, Workspaces } from '../ports.ts';
import { replaceFile } from './replace-file.ts';

export interface OverlayOptions {
  /** Folder of all workspaces; each is a folder in it. */
  readonly folder: string;
  readonly launcher: Pick<Launcher, 'run'>;
  readonly limits: () => { readonly disk: number; readonly files: number };
}

/** `undefined` when this machine does not let us mount, with the reason. */
export async function tryOverlay(
  options: OverlayOptions,
): Promise<{ readonly kind: 'works'; readonly workspaces: Workspaces } | { readonly kind: 'not'; readonly reason: string }> {
  const { folder } = options;
  if (/[,:\\\s]/.test(folder))
    return { kind: 'not', reason: `the path ${folder} has characters that mount options cannot contain` };
  const workspaces = createOverlays(options);
  const trial = join(folder, 'trial-files');
  await mkdir(trial, { recursive: true });
  try {
    const workspace = await workspaces.open('trial', { folder: trial }, new AbortController().signal);
    await workspace.close();
    return { kind: 'works', workspaces };
  } catch (error) {
    await workspaces.remove('trial').catch(() => undefined);
    return { kind: 'not', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}

function createOverlays({ folder, launcher, limits }: OverlayOptions): Omit<Workspaces, 'open'> & {
  open(id: string, checkout: { readonly folder: string }, signal: AbortSignal): Promise<Workspace>;
} {
  const run = async (...argv: readonly string[]) => {
    const { status, stderr } = await launcher.run(argv);
    if (status !== 0) throw Object.assign(new Error(`${argv[0] ?? ''}: ${stderr.trim()}`), { code: 'mount' });
  };
  const remove = async (id: string) => {
    const own = join(folder, id);
    const points = await mountsBelow(own);
    if (points.length > 0) await run('umount', '--', ...points);
    await rm(own, { recursive: true, force: true });
  };
  return {
    name: 'overlay',
    async open(id, checkout, signal) {
      const own = join(folder, id);
      const [layer, project] = [join(own, 'layer'), join(own, 'project')];
      await mkdir(own, { recursive: true, mode: 0o700 });
      await Promise.all([mkdir(layer, { recursive: true }), mkdir(project, { recursive: true })]);
      const { disk, files } = limits();
      await run(
        'mount',
        '-t',
        'tmpfs',
        '-o',
        `size=${disk},nr_inodes=${files},nosuid,nodev,mode=0755`,
        'session-server-sim',
        layer,
      );
      signal.throwIfAborted();
      await Promise.all([mkdir(join(layer, 'upper')), mkdir(join(layer, 'work'))]);
      const layers = `lowerdir=${checkout.folder},upperdir=${layer}/upper,workdir=${layer}/work`;
      await run('mount', '-t', 'overlay', '-o', `${layers},nosuid,nodev`, 'session-server-sim', project);
      return {
        folder: project,
        async usage() {
          const { bsize, blocks, bfree } = await statfs(layer);
          return (blocks - bfree) * bsize;
        },
        close: () => remove(id),
      };
    },
    write: (workspace, path, content) => replaceFile(workspace.folder, path, content),
    list: () => readdir(folder).catch(() => []),
    remove,
  };
}

/** Mount points in a folder, the youngest first. */
async function mountsBelow(folder: string): Promise<readonly string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  return text
    .split('\n')
    .map((line) => unescaped(line.split(' ')[4] ?? ''))
    .filter((point) => point.startsWith(`${folder}/`))
    .reverse();
}

/** As in proc(5): `\040` is a space. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
