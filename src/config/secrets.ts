/**
 * Passwords that are not in the configuration file but in the environment or in files of their own. A value outside the file wins, because it
 * was set later and on purpose; both at once cause a warning.
 */
import { formatKey, type Problem } from './problem.ts';
import type { PartOfConfiguration } from './schema.ts';
import { absolutePath, fileFaults, type Environment } from './environment.ts';
import { readStoreFiles, type StoreFiles } from './store-files.ts';

export const PASSWORD_VARIABLE = 'SESSION_SERVER_MAIL_PASSWORD';
export const PASSWORD_FILE_VARIABLE = 'SESSION_SERVER_MAIL_PASSWORD_FILE';

export interface Secrets {
  readonly mailPassword?: string;
  /** Of the store that replicas share. */
  readonly storePassword?: string;
  readonly storeFiles?: StoreFiles;
  /** By the position of the webhook in the configuration. */
  readonly webhookSecrets: ReadonlyMap<number, string>;
}

export interface ResolvedSecrets {
  readonly secrets: Secrets;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** A secret is a single line. */
const MAX_FILE = 4096;

export async function resolveSecrets(configuration: PartOfConfiguration, environment: Environment): Promise<ResolvedSecrets> {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const mailPassword = await findMailPassword(configuration, environment, problems, warnings);
  const webhookSecrets = new Map<number, string>();
  for (const [index, { secret, secretFile }] of (configuration.webhooks ?? []).entries()) {
    const key = formatKey(['webhooks', index, 'secretFile']);
    const chosen = secretFile === undefined ? secret : await readSecret(key, secretFile, environment, problems);
    if (chosen !== undefined) webhookSecrets.set(index, chosen);
    if (secret !== undefined && secretFile !== undefined)
      warnings.push(twice(formatKey(['webhooks', index, 'secret']), 'given twice', '"secretFile" is used; remove "secret"'));
  }
  const storePassword = await findStorePassword(configuration, environment, problems, warnings);
  const store = await readStoreFiles(configuration, environment);
  problems.push(...store.problems);
  const optional = {
    ...(mailPassword !== undefined && { mailPassword }),
    ...(storePassword !== undefined && { storePassword }),
    ...(store.files !== undefined && { storeFiles: store.files }),
  };
  return { secrets: { webhookSecrets, ...optional }, problems, warnings };
}

async function findStorePassword(
  { replicas }: PartOfConfiguration,
  environment: Environment,
  problems: Problem[],
  warnings: Problem[],
): Promise<string | undefined> {
  const { password, passwordFile } = replicas ?? {};
  if (passwordFile === undefined) return password;
  if (password !== undefined)
    warnings.push(twice('replicas.password', 'given twice', '"passwordFile" is used; remove "password"'));
  return readSecret('replicas.passwordFile', passwordFile, environment, problems);
}

async function findMailPassword(
  { mailSenderPassword: inFile }: PartOfConfiguration,
  environment: Environment,
  problems: Problem[],
  warnings: Problem[],
): Promise<string | undefined> {
  // `$(cat file)` removes the line break; other ways of setting a variable do not.
  const inEnvironment = withoutLineBreak(environment.env[PASSWORD_VARIABLE] ?? '');
  const path = environment.env[PASSWORD_FILE_VARIABLE] ?? '';
  if (inEnvironment.length > 1000)
    problems.push({
      key: PASSWORD_VARIABLE,
      value: 'a value that is not shown',
      expected: 'at most 1000 characters',
      fix: 'check the environment variable',
    });
  const given = [
    { name: PASSWORD_VARIABLE, present: inEnvironment !== '' },
    { name: PASSWORD_FILE_VARIABLE, present: path !== '' },
    { name: 'mailSenderPassword', present: inFile !== undefined },
  ].filter(({ present }) => present);
  const [used, ...others] = given.map(({ name }) => name);
  for (const other of others) warnings.push(twice(other, 'given twice', `${used ?? ''} is used; remove the other`));
  if (inEnvironment !== '') return inEnvironment;
  if (path !== '') return readSecret(PASSWORD_FILE_VARIABLE, path, environment, problems);
  return inFile;
}

async function readSecret(key: string, path: string, environment: Environment, problems: Problem[]): Promise<string | undefined> {
  const result = await environment.readFile(absolutePath(path, environment), MAX_FILE);
  const value = result.kind === 'content' ? lineOf(result.bytes) : undefined;
  if (value !== undefined && value !== '' && value.length <= 1000) return value;
  const fault = result.kind === 'content' ? 'a file that does not hold one line of text' : fileFaults[result.kind];
  const expected = 'a file that holds only the password or secret, on one line';
  problems.push({
    key,
    value: `${JSON.stringify(path)}, ${fault}`,
    expected,
    fix: 'check the path, the content and the permissions of the file',
  });
  return undefined;
}

/** The text without the line break that editors put at its end; `undefined` when it is more than one line, or not text. */
function lineOf(bytes: Uint8Array): string | undefined {
  try {
    const text = withoutLineBreak(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return /[\u0000-\u001f\u007f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function withoutLineBreak(text: string): string {
  return text.replace(/(?:\r?\n)+$/, '');
}

function twice(key: string, value: string, fix: string): Problem {
  return { key, value, expected: 'a secret in one place', fix };
}
