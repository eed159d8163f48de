// Bundles the pages into dist/web: for each one script and one style sheet, as they are, as Brotli and as gzip, and a manifest with their hashes.
// `node scripts/build-web.mjs [FOLDER]`; tests import `buildWeb`.
import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
/** The pages. `maxBytes`: of all files of the page as Brotli. The viewer is loaded in addition to the pages for visitors. */
const PAGES = {
  monitor: { script: 'src/web/main.tsx', styles: 'src/web/monitor.css', maxBytes: 100_000 },
  visitors: { script: 'src/web/visitors/main.ts', styles: 'src/web/visitors/visitors.css', maxBytes: 20_000 },
  viewer: { script: 'src/web/viewer/main.ts', styles: 'src/web/viewer/viewer.css', maxBytes: 130_000 },
};

export async function buildWeb(folder = join(root, 'dist', 'web'), names = Object.keys(PAGES)) {
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(
      names.flatMap((name) => [
        [name, join(root, PAGES[name].script)],
        [`${name}-style`, join(root, PAGES[name].styles)],
      ]),
    ),
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
    const name = basename(path).replace('-style', '');
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
  for (const name of names) {
    const total = files.filter((file) => file.name.startsWith(`${name}.`)).reduce((sum, { brotli }) => sum + brotli, 0);
    const { maxBytes } = PAGES[name];
    if (total > maxBytes) throw new Error(`the page ${name} has ${total} bytes compressed, more than ${maxBytes}`);
  }
  return files;
}

if (process.argv[1] === import.meta.filename) {
  for (const { name, bytes, brotli } of await buildWeb(process.argv[2]))
    console.log(`${name}: ${bytes} bytes, ${brotli} compressed`);
}
