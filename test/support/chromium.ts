/**
 * A real Chromium for the tests of pages: the one in `CHROMIUM_PATH`, otherwise the one of the development dependency
 * `@sparticuz/chromium`, with the libraries it needs, otherwise an installed one. The package comes first, because it is
 * the same everywhere, and has no windows of its own to draw: pages open in half the time. Without any of them, an error
 * says how to fix it; tests are never skipped.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

interface Found {
  readonly path: string;
  readonly env?: Readonly<Record<string, string>>;
}

const INSTALLED = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const ELSEWHERE = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const FIX =
  'The tests of the monitor page need Chromium. Install it ("apt-get install chromium"), or set CHROMIUM_PATH, or let "npm ci" install the development dependencies.';

export async function launchChromium(): Promise<Browser> {
  const { path, env } = await findChromium();
  try {
    return await chromium.launch({ executablePath: path, args: ARGUMENTS, env: { ...definedEnvironment(), ...env } });
  } catch (cause) {
    throw new Error(`Chromium at ${path} does not start. ${FIX}`, { cause });
  }
}

/** `packaged`: the package has a program for this machine. */
export async function findChromium(
  environment: NodeJS.ProcessEnv = process.env,
  packaged = process.platform === 'linux' && process.arch === 'x64',
): Promise<Found> {
  const named = environment['CHROMIUM_PATH'];
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`There is no file at CHROMIUM_PATH, ${named}. ${FIX}`);
    return { path: named };
  }
  if (packaged) return packagedChromium();
  const folders = (environment['PATH'] ?? '').split(delimiter);
  const installed = [...INSTALLED.flatMap((name) => folders.map((folder) => join(folder, name))), ...ELSEWHERE].find((path) =>
    existsSync(path),
  );
  if (installed === undefined) throw new Error(`There is no Chromium on this machine. ${FIX}`);
  return { path: installed };
}

/**
 * The package unpacks itself into the temporary folder when it is asked for its path. Several tests may do so at once,
 * so each unpacks into its own folder, and the first to finish renames it to the common name.
 */
async function packagedChromium(): Promise<Found> {
  const folder = join(tmpdir(), `session-server-chromium-${await packagedVersion()}-${process.getuid?.() ?? 0}`);
  if (!existsSync(folder)) {
    const staging = await mkdtemp(join(tmpdir(), 'session-server-chromium-'));
    await unpack(staging);
    await rename(staging, folder).catch(async (error: unknown) => {
      await rm(staging, { recursive: true, force: true });
      if (!existsSync(folder)) throw error;
    });
  }
  return {
    path: join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: [join(folder, 'al2023', 'lib'), folder].join(delimiter), ...fontSettings(folder) },
  };
}

/** Fonts of the package, when the machine has none set up. */
function fontSettings(folder: string): Record<string, string> {
  return existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: join(folder, 'fonts') };
}

async function packagedVersion(): Promise<string> {
  try {
    const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
    const { version } = JSON.parse(await readFile(join(dirname(entry), '..', '..', 'package.json'), 'utf8')) as {
      version: string;
    };
    return version;
  } catch (cause) {
    throw new Error(`The development dependency @sparticuz/chromium is missing. ${FIX}`, { cause });
  }
}

function unpack(folder: string): Promise<void> {
  const script = "import('@sparticuz/chromium').then(({ default: chromium }) => chromium.executablePath())";
  // The second variable makes it unpack the libraries too.
  const env = { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' };
  return new Promise((resolve, reject) => {
    const unpacking = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    unpacking.once('error', reject);
    unpacking.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`Chromium cannot be unpacked into ${folder}; is there room for 200 MB? ${FIX}`));
    });
  });
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
