/** The files of the pages from `scripts/build-web.mjs`: read once at start, with their compressed forms. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from 'hono';
import { throughMonitor } from '../../core/views/through-monitor.ts';
import type { Env } from './routes.ts';

export interface PageAsset {
  readonly name: string;
  /** Hash of its content; part of its URL, so that browsers may cache it forever. */
  readonly hash: string;
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly brotli: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
}

export interface PageAssets {
  readonly script: PageAsset;
  readonly styles: PageAsset;
}

const types: Readonly<Record<string, string>> = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8' };

export type Encoding = 'br' | 'gzip' | 'identity';

const YEAR = 31_536_000;

/** The client package: what pages of other origins load. */
export interface ClientAssets {
  readonly client: PageAsset;
  readonly button: PageAsset;
}

/** Throws when the page was not built. */
export function readPageAssets(folder: string, page: 'monitor' | 'visitors' | 'viewer' | 'classes'): Promise<PageAssets> {
  return readAssets(folder, { script: `${page}.js`, styles: `${page}.css` });
}

/** Throws when the package was not built. */
export function readClientAssets(folder: string): Promise<ClientAssets> {
  return readAssets(folder, { client: 'v1.js', button: 'v1-button.js' });
}

/** The files with these names. Throws when one of them was not built. */
export async function readAssets<K extends string>(
  folder: string,
  names: Readonly<Record<K, string>>,
): Promise<Record<K, PageAsset>> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest;
    const read = async ([key, name]: [string, string]) => [key, await readAsset(folder, manifest, name)] as const;
    return Object.fromEntries(await Promise.all(Object.entries<string>(names).map(read))) as Record<K, PageAsset>;
  } catch (cause) {
    const wanted = Object.values(names).join(' and ');
    throw new Error(`${wanted} are not in ${folder}; build them with "npm run build"`, { cause });
  }
}

interface Manifest {
  readonly files: readonly { readonly name: string; readonly hash: string }[];
}

async function readAsset(folder: string, { files }: Manifest, name: string): Promise<PageAsset> {
  const entry = files.find((file) => file.name === name);
  if (entry === undefined) throw new Error(`${name} is not in the manifest`);
  const [plain, brotli, gzip] = await Promise.all(['', '.br', '.gz'].map((end) => bytesOf(join(folder, name + end))));
  if (plain === undefined || brotli === undefined || gzip === undefined) throw new Error(`${name} is not complete`);
  const type = types[name.split('.').pop() ?? ''] ?? 'application/octet-stream';
  return { name, hash: entry.hash, type, plain, brotli, gzip };
}

async function bytesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(path));
}

/** `more`: headers besides those of every file. */
export function answerAsset(c: Context<Env>, asset: PageAsset, more: Readonly<Record<string, string>> = {}): Response {
  const etag = `"${asset.hash}"`;
  const named = c.req.query('v') === asset.hash;
  const headers: Record<string, string> = {
    'Content-Type': asset.type,
    'Cache-Control': named ? `public, max-age=${YEAR}, immutable` : 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    ETag: etag,
    Vary: 'Accept-Encoding',
    ...more,
  };
  if (c.req.header('If-None-Match') === etag) return c.body(null, 304, headers);
  const encoding = encodingFor(c);
  if (encoding === 'identity') return c.body(asset.plain, 200, headers);
  return c.body(encoding === 'br' ? asset.brotli : asset.gzip, 200, { ...headers, 'Content-Encoding': encoding });
}

/** The best encoding that the client accepts; `q=0` means not acceptable. */
export function encodingFor(c: Context): Encoding {
  const offered = (c.req.header('Accept-Encoding') ?? '').toLowerCase().split(',', 20);
  const accepts = (name: string): boolean =>
    offered.some((entry) => new RegExp(`^\\s*${name}\\s*(;|$)`).test(entry) && !/;\s*q=0(\.0*)?\s*$/.test(entry));
  return accepts('br') ? 'br' : accepts('gzip') ? 'gzip' : 'identity';
}

/** Relative to the page. `folder`: the path of the files. `through`: the path by which the page asks for everything. */
export function assetUrl(folder: string, { name, hash }: PageAsset, through = throughMonitor): string {
  return through(`${folder}/${name}?v=${hash}`);
}
