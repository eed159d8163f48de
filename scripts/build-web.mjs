// Bundles the monitor page into dist/web: one script and one style sheet, each as it is, as Brotli and as gzip, and a manifest with their hashes.
// `node scripts/build-web.mjs [FOLDER]`; tests import `buildWeb`.
import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
/** Bytes of all files as Brotli. */
const MAX_BYTES = 100_000;

export async function buildWeb(folder = join(root, 'dist', 'web')) {
  const { outputFiles } = await build({
    entryPoints: { monitor: join(root, 'src/web/main.tsx'), 'monitor-style': join(root, 'src/web/monitor.css') },
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['chrome109', 'firefox115', 'safari16.4'],
    charset: 'utf8',
    legalComments: 'none',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    outdir: folder,
    write: false,
    logLevel: 'error',
  });
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const files = [];
  for (const { path, contents } of outputFiles) {
    const name = basename(path).replace('monitor-style', 'monitor');
    const compressed = {
      br: await promisify(brotliCompress)(contents, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
      gz: await promisify(gzip)(contents, { level: 9 }),
    };
    await writeFile(join(folder, name), contents);
    for (const [extension, bytes] of Object.entries(compressed)) await writeFile(join(folder, `${name}.${extension}`), bytes);
    files.push({
      name,
      hash: createHash('sha256').update(contents).digest('hex').slice(0, 16),
      bytes: contents.length,
      brotli: compressed.br.length,
      gzip: compressed.gz.length,
    });
  }
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify({ files }, undefined, 2)}\n`);
  const total = files.reduce((sum, { brotli }) => sum + brotli, 0);
  if (total > MAX_BYTES) throw new Error(`the page has ${total} bytes compressed, more than ${MAX_BYTES}`);
  return files;
}

if (process.argv[1] === import.meta.filename) {
  for (const { name, bytes, brotli } of await buildWeb(process.argv[2]))
    console.log(`${name}: ${bytes} bytes, ${brotli} compressed`);
}
