// Bundles the pages and the client package into dist/web: each file as it is, as Brotli and as gzip, and a manifest with their hashes.
// `node scripts/build-web.mjs [FOLDER]`; tests import `buildWeb`.
import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
/** What pages need, and the client package. `limits`: maximum size of some files together, in bytes as `brotli` or `gzip`. */
const PARTS = {
  monitor: {
    files: { 'monitor.js': 'src/web/main.tsx', 'monitor.css': 'src/web/monitor.css' },
    limits: [
      { of: ['monitor.js'], as: 'gzip', bytes: 60_000 },
      { of: ['monitor.css'], as: 'gzip', bytes: 10_000 },
    ],
  },
  visitors: {
    files: { 'visitors.js': 'src/web/visitors/main.ts', 'visitors.css': 'src/web/visitors/visitors.css' },
    limits: [{ of: ['visitors.js', 'visitors.css'], as: 'gzip', bytes: 8000 }],
  },
  viewer: {
    files: { 'viewer.js': 'src/web/viewer/main.ts', 'viewer.css': 'src/web/viewer/viewer.css' },
    // It is loaded in addition to the pages for visitors: 150 kB together.
    limits: [{ of: ['viewer.js', 'viewer.css'], as: 'gzip', bytes: 142_000 }],
  },
  classes: {
    files: { 'classes.js': 'src/web/classes/main.tsx', 'classes.css': 'src/web/classes/classes.css' },
    limits: [{ of: ['classes.js', 'classes.css'], as: 'brotli', bytes: 30_000 }],
  },
  api: {
    files: { 'api.css': 'src/web/api-reference/api-reference.css' },
    limits: [{ of: ['api.css'], as: 'brotli', bytes: 2000 }],
  },
  client: {
    files: { 'v1.js': 'src/client/index.ts', 'v1-button.js': 'src/client/session-button.ts' },
    limits: [
      { of: ['v1.js'], as: 'gzip', bytes: 3000 },
      { of: ['v1.js', 'v1-button.js'], as: 'gzip', bytes: 4500 },
    ],
  },
};
/** The button uses the client that a page may use too. */
const sharedClient = {
  name: 'shared client',
  setup: ({ onResolve }) => onResolve({ filter: /^\.\/index\.ts$/ }, () => ({ path: './v1.js', external: true })),
};

export async function buildWeb(folder = join(root, 'dist', 'web'), names = Object.keys(PARTS)) {
  const { outputFiles } = await build({
    entryPoints: names.flatMap((name) =>
      Object.entries(PARTS[name].files).map(([file, source]) => ({ in: join(root, source), out: nameFor(file) })),
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
    plugins: [sharedClient],
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
  for (const { of, as, bytes } of names.flatMap((name) => PARTS[name].limits)) {
    const total = files.filter(({ name }) => of.includes(name)).reduce((sum, file) => sum + file[as], 0);
    if (total > bytes) throw new Error(`${of.join(' and ')}: ${total} bytes as ${as}, more than ${bytes}`);
  }
  return files;
}

/** The bundler adds the extension, and needs two names for a script and a style sheet. */
function nameFor(file) {
  return file.replace(/\.js$/, '').replace(/\.css$/, '-style');
}

if (process.argv[1] === import.meta.filename) {
  for (const { name, bytes, brotli, gzip } of await buildWeb(process.argv[2]))
    console.log(`${name}: ${bytes} bytes, ${brotli} as Brotli, ${gzip} as gzip`);
}
