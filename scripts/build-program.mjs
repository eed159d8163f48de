// Bundles the program into dist/program, or the folder named as argument, with the libraries it uses: Node finds and reads a dozen files at a start instead of several hundred, which halves the time of a start. Names stay as
// they are in the sources, each part has the name of its source, and maps are beside it (`node --enable-source-maps`), so that a stack trace can be read.
// What others wrote comes with their licences, in LICENSES.txt.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const folder = resolve(process.argv[2] ?? join(root, 'dist', 'program'));
/** Milliseconds that a part is kept after the build that no longer has it: a program that runs since before may still load it. */
const KEPT = 7 * 86_400_000;
/** Names of the parts of this build, for the next one. */
const PARTS = join(folder, 'parts.json');

const { metafile } = await build({
  // The launcher of the simulation server, the door and the simulator of the demo are processes of their own.
  entryPoints: {
    main: join(root, 'src', 'main.ts'),
    'launcher-process': join(root, 'src', 'simulation', 'launcher', 'launcher-process.ts'),
    'door-process': join(root, 'src', 'simulation', 'launcher', 'door-process.ts'),
    'demo-simulator': join(root, 'src', 'simulation', 'demo', 'demo-simulator.ts'),
  },
  outdir: folder,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  absWorkingDir: root,
  logLevel: 'error',
  tsconfig: join(root, 'src', 'web', 'tsconfig.json'),
  // Libraries of the old module format load Node's own modules by it.
  banner: { js: `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);` },
});
// The physics engine loads it from the folder of its script.
await copyFile(join(root, 'node_modules', '@mujoco', 'mujoco', 'mujoco.wasm'), join(folder, 'mujoco.wasm'));
await removeOld(Object.keys(metafile.outputs).map((path) => basename(path)));
const packages = new Set(
  Object.keys(metafile.inputs).flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
);
await writeFile(join(folder, 'LICENSES.txt'), [...packages].sort().map(licence).join('\n'));

async function removeOld(written) {
  const before = partsBefore();
  const now = new Date();
  const old = (await readdir(folder)).filter((name) => /\.js(?:\.map)?$/.test(name) && !written.includes(name));
  for (const name of old) {
    const path = join(folder, name);
    // From now on its time says when it stopped being a part.
    if (before.includes(name)) await utimes(path, now, now);
    else if (now - (await stat(path)).mtimeMs > KEPT) await rm(path);
  }
  await writeFile(PARTS, `${JSON.stringify(written.sort(), undefined, 2)}\n`);
  // What is kept is for programs that run from this folder.
  await writeFile(join(folder, '.npmignore'), [basename(PARTS), ...old, ''].join('\n'));
}

/** A build that was interrupted leaves what cannot be read, or nothing. */
function partsBefore() {
  try {
    return JSON.parse(readFileSync(PARTS, 'utf8'));
  } catch {
    return [];
  }
}

function licence(name) {
  const at = join(root, 'node_modules', name);
  const { version, license } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
  const file = readdirSync(at).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file !== undefined && existsSync(join(at, file)) ? readFileSync(join(at, file), 'utf8').trim() : '';
  return `${name} ${version}, ${license}\n${'='.repeat(72)}\n${text}\n`;
}
