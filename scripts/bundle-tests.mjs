// Bundles test files with the sources they test, one script for each process that runs some of them. Reading a script takes a tenth of the time that
// translating several hundred modules in each process would take.
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
/** What tests share in a process, such as a browser, ends with its last test, whatever failed before. */
const AT_END = [
  "import { after } from 'node:test';",
  'globalThis.sharedByTests = new Set();',
  'after(() => Promise.all([...globalThis.sharedByTests].map((end) => end())));',
];
/**
 * Where files share a process, the first test ends when all are loaded: otherwise, tests of an earlier file may begin before a later one has run.
 * A file with hooks is alone, and they would apply to that test.
 */
const UNTIL_LOADED = [
  "import { test } from 'node:test';",
  'export let loaded;',
  'const ready = new Promise((resolve) => (loaded = resolve));',
  "void test('the files of this process are loaded', () => ready);",
];

/** Writes one script for each list of test files into the folder, and returns their paths, in the order of the lists. `names`: one for each script. */
export async function bundleTests(lists, names, folder) {
  await build({
    entryPoints: lists.map((_, index) => ({ in: `process:${index}`, out: names[index] })),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: 'linked',
    sourcesContent: false,
    absWorkingDir: root,
    logLevel: 'error',
    plugins: [processScripts(lists), placesOfSources],
  });
  return names.map((name) => join(folder, `${name}.mjs`));
}

function processScripts(lists) {
  return {
    name: 'process-scripts',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^process(?:-start)?:\d+$/ }, ({ path }) => ({ path, namespace: 'process' }));
      onLoad({ filter: /./, namespace: 'process' }, ({ path }) => {
        const [kind, index] = path.split(':');
        const files = lists[Number(index)];
        const lines = kind === 'process' ? scriptOf(files, `process-start:${index}`) : startOf(files);
        return { contents: lines.join('\n'), resolveDir: root };
      });
    },
  };
}

function startOf(files) {
  return files.length > 1 ? [...AT_END, ...UNTIL_LOADED] : AT_END;
}

function scriptOf(files, start) {
  const imports = files.map((file) => `import ${JSON.stringify(resolve(root, file))};`);
  return files.length > 1 ? [`import { loaded } from '${start}';`, ...imports, 'loaded();'] : [`import '${start}';`, ...imports];
}

/**
 * A bundled module still says where it came from. The sources of the product say the folder of the built program, beside which its other scripts lie.
 */
const placesOfSources = {
  name: 'places-of-sources',
  setup({ onLoad }) {
    onLoad({ filter: /\.(?:tsx?|mjs)$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      if (path.includes('/node_modules/') || !source.includes('import.meta.')) return undefined;
      return {
        contents: withPlace(source, isOfProduct(path) ? builtPath(path) : path),
        loader: extname(path).slice(1).replace('mjs', 'js'),
      };
    });
  },
};

function withPlace(source, path) {
  const values = { dirname: dirname(path), filename: path, url: pathToFileURL(path).href };
  return source.replaceAll(/\bimport\.meta\.(dirname|filename|url)\b/g, (_, key) => JSON.stringify(values[key]));
}

function isOfProduct(path) {
  return path.startsWith(join(root, 'src', '/')) && !/\.test\.tsx?$/.test(path);
}

function builtPath(path) {
  return join(root, 'dist', 'program', `${basename(path, extname(path))}.js`);
}
