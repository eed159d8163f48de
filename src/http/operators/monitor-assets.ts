/** The files of the monitor page from `scripts/build-web.mjs`: read once at start, with their compressed forms. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface MonitorAsset {
  readonly name: string;
  /** Hash of its content; part of its URL, so that browsers may cache it forever. */
  readonly hash: string;
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly brotli: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
}

export interface MonitorAssets {
  readonly script: MonitorAsset;
  readonly styles: MonitorAsset;
}

const types: Readonly<Record<string, string>> = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8' };

/** Throws when the page was not built. */
export async function readMonitorAssets(folder: string): Promise<MonitorAssets> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as {
      readonly files: readonly { readonly name: string; readonly hash: string }[];
    };
    const read = async (name: string): Promise<MonitorAsset> => {
      const entry = manifest.files.find((file) => file.name === name);
      if (entry === undefined) throw new Error(`${name} is not in the manifest`);
      const [plain, brotli, gzip] = await Promise.all(['', '.br', '.gz'].map((end) => bytesOf(join(folder, name + end))));
      if (plain === undefined || brotli === undefined || gzip === undefined) throw new Error(`${name} is not complete`);
      return {
        name,
        hash: entry.hash,
        type: types[name.split('.').pop() ?? ''] ?? 'application/octet-stream',
        plain,
        brotli,
        gzip,
      };
    };
    return { script: await read('monitor.js'), styles: await read('monitor.css') };
  } catch (cause) {
    throw new Error(`the monitor page is not in ${folder}; build it with "npm run build"`, { cause });
  }
}

async function bytesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(path));
}
