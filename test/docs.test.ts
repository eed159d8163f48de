/** What is generated from the source is current, and what is written about the configuration is what the program knows of it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { allKeys } from '../src/config/keys.ts';
import { loadConfiguration } from '../src/config/load.ts';
import { formatProblem } from '../src/config/problem.ts';
import { originalKeys, schema } from '../src/config/schema.ts';
import { withGenerated } from '../scripts/docs/layout.ts';
import { generatedFiles } from '../scripts/docs/pages.ts';

const root = new URL('../', import.meta.url);
const page = read('docs/reference/configuration.md');

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

function keysOfPage(): string[] {
  return [...page.matchAll(/^### `([^`]+)`$/gm)].map(([, key = '']) => key);
}

for (const [path, current] of generatedFiles)
  test(`${path} is what the source says`, async () => {
    assert.ok(read(path) === (await current()), `${path} is out of date; run: npm run docs`);
  });

test('the text written by hand before and after a generated part stays', () => {
  const marks = ['<!-- prettier-ignore-start -->', '<!-- prettier-ignore-end -->'] as const;
  const written = withGenerated(`before\n${marks.join('old')}\nafter\n`, 'new\n');
  assert.equal(written, `before\n${marks[0]}\n\nnew\n\n${marks[1]}\nafter\n`);
  assert.equal(withGenerated(written, 'new'), written);
  assert.throws(() => withGenerated('no marks', 'new'), /lacks the marks/);
});

test('every key of the schema is on the page once, and the page has no other', () => {
  const sections = new Set([...allKeys()].filter(([, { keys }]) => keys.size > 0).map(([key]) => key));
  const expected = [...allKeys().keys()].filter((key) => !sections.has(key));
  assert.deepEqual(keysOfPage().sort(), expected.sort());
  for (const section of sections) assert.ok(page.includes(`\n## \`${section}\`\n`), section);
});

for (const [path, names] of [
  ['docs/reference/metrics.md', ['session_server_available', 'session_server_server_up', 'session_server_gateway_relays']],
  [
    'docs/reference/api-codes.md',
    ['POST /api/v1/sessions', 'DELETE /api/v1/register/{id}', 'no-room', 'has-room', 'client-gone'],
  ],
  ['docs/reference/log.md', ['configuration read again', '… simulation server answers again']],
] as const)
  test(`${path} has what is known to be there`, () => {
    for (const name of names) assert.ok(read(path).includes(`- \`${name}\``), name);
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
  assert.deepEqual(keysOfPage().slice(0, originalKeys.length), originalKeys);
});

test('the JSON Schema has the keys, rejects others, and has no annotation of the project', () => {
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

for (const name of ['local', 'demo', 'example'])
  test(`config/session/${name}.json loads without a problem or a warning`, async () => {
    const path = `config/session/${name}.json`;
    const result = await loadConfiguration(new URL(path, root).pathname, { env: {} });
    const problems = result.kind === 'refused' ? result.problems : [];
    assert.deepEqual([...problems, ...result.warnings].map(formatProblem), []);
    assert.equal((JSON.parse(read(path)) as { $schema: string }).$schema, './schema.json');
  });
