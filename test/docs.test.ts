/** What is written about the configuration and what the program knows of it are the same, in both directions. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { allKeys } from '../src/config/keys.ts';
import { loadConfiguration } from '../src/config/load.ts';
import { formatProblem } from '../src/config/problem.ts';
import { configurationPage, jsonSchemaFile, originalKeysTable, withConfigurationTable } from '../src/config/reference.ts';
import { originalKeys, schema } from '../src/config/schema.ts';

const root = new URL('../', import.meta.url);
const generate = 'run: node --import tsx scripts/generate-docs.mjs';

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

function keysOfPage(page: string): string[] {
  return [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, key = '']) => key);
}

for (const [path, current] of [
  ['docs/configuration.md', configurationPage],
  ['config/session/schema.json', jsonSchemaFile],
] as const)
  test(`${path} is what the schema says`, () => {
    assert.ok(read(path) === current(), `${path} is out of date; ${generate}`);
  });

test('the table of the README is what the schema says', () => {
  const readme = read('README.md');
  assert.ok(readme.includes(originalKeysTable().trim()), `README.md has no table, or an old one; ${generate}`);
  assert.equal(withConfigurationTable(readme), readme);
});

test('every key of the schema is on the page once, and the page has no other', () => {
  const sections = new Set([...allKeys()].filter(([, { keys }]) => keys.size > 0).map(([key]) => key));
  const expected = [...allKeys().keys()].filter((key) => !sections.has(key));
  assert.deepEqual(keysOfPage(read('docs/configuration.md')).sort(), expected.sort());
  for (const section of sections) assert.match(read('docs/configuration.md'), new RegExp(`^## \`${section}\`$`, 'm'));
});

test('every key has a description, and a default, or says that it is required', () => {
  for (const [key, { description, default: value, absent, required }] of allKeys()) {
    assert.match(description, /^[A-Z`].*[.)]$/s, key);
    assert.ok(value !== undefined || absent !== undefined || required, `${key} does not say what holds when it is absent`);
  }
});

test("the original's keys are all there, under their own names", () => {
  for (const key of originalKeys) assert.ok(key in schema.shape, key);
  assert.equal(originalKeys.length, 13);
  assert.deepEqual(keysOfPage(originalKeysTable()), originalKeys);
});

test('the JSON Schema knows the keys, refuses others, and has no annotation of our own', () => {
  const text = read('config/session/schema.json');
  const published = JSON.parse(text) as {
    properties: Record<string, unknown>;
    required: string[];
    additionalProperties: boolean;
  };
  assert.deepEqual(Object.keys(published.properties), Object.keys(schema.shape));
  assert.deepEqual(published.required, ['simulationServers']);
  assert.equal(published.additionalProperties, false);
  assert.doesNotMatch(text, /"(?:expected|absent|restart|unit)":/);
  assert.match(text, /"secret": \{[^}]*"writeOnly": true/);
});

for (const name of ['local', 'example'])
  test(`config/session/${name}.json loads without a problem or a warning`, async () => {
    const path = `config/session/${name}.json`;
    const result = await loadConfiguration(new URL(path, root).pathname, { env: {} });
    const problems = result.kind === 'refused' ? result.problems : [];
    assert.deepEqual([...problems, ...result.warnings].map(formatProblem), []);
    assert.equal((JSON.parse(read(path)) as { $schema: string }).$schema, './schema.json');
  });
