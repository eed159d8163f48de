/** Files for TLS with the store that replicas share. They are read with the configuration, so that a wrong one is a problem of it. */
import { createSecureContext } from 'node:tls';
import { absolutePath, fileFaults, type Environment } from './environment.ts';
import type { Problem } from './problem.ts';
import type { PartOfConfiguration } from './schema.ts';

/** PEM, by the keys of the section `replicas` that name the files. */
export type StoreFiles = Readonly<Partial<Record<Name, string>>>;

type Name = (typeof NAMES)[number];

const NAMES = ['authority', 'certificate', 'key'] as const;
/** Bytes: all public authorities fit. */
const MAX_FILE = 1024 * 1024;

export async function readStoreFiles(
  { replicas }: PartOfConfiguration,
  environment: Environment,
): Promise<{ readonly files: StoreFiles | undefined; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const files: Partial<Record<Name, string>> = {};
  for (const name of NAMES) {
    const path = replicas?.[name];
    if (path === undefined) continue;
    const result = await environment.readFile(absolutePath(path, environment), MAX_FILE);
    const text = result.kind === 'content' ? new TextDecoder().decode(result.bytes) : '';
    const fault = result.kind === 'content' ? faultOf(name, text) : fileFaults[result.kind];
    if (fault === undefined) files[name] = text;
    else problems.push(problemOf(name, `${JSON.stringify(path)}, ${fault}`));
  }
  if (problems.length === 0 && !isPair(files)) problems.push(problemOf('key', 'not the key of "certificate"'));
  return { files: Object.keys(files).length === 0 ? undefined : files, problems };
}

function faultOf(name: Name, text: string): string | undefined {
  const kind = name === 'key' ? 'PRIVATE KEY' : 'CERTIFICATE';
  const option = { authority: 'ca', certificate: 'cert', key: 'key' }[name];
  return text.includes(`${kind}-----`) && isAccepted({ [option]: text })
    ? undefined
    : `which holds no ${kind.toLowerCase()} in PEM`;
}

/** Both or none, and they belong together. */
function isPair({ certificate, key }: StoreFiles): boolean {
  if (certificate === undefined || key === undefined) return certificate === key;
  return isAccepted({ cert: certificate, key });
}

function isAccepted(options: Parameters<typeof createSecureContext>[0]): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}

function problemOf(name: Name, value: string): Problem {
  return {
    key: `replicas.${name}`,
    value,
    expected: name === 'key' ? 'the private key of "certificate" in PEM' : 'certificates in PEM',
    fix: 'check the path, the content and the permissions of the file',
  };
}
