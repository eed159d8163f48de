import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadSimulationConfiguration } from './load.ts';
import { originalKeys, schema } from './schema.ts';

const root = join(import.meta.dirname, '..', '..', '..');

test('every key of the original is known', () => {
  for (const key of originalKeys) assert.ok(Object.hasOwn(schema.shape, key), key);
});

for (const name of ['local', 'demo', 'example'])
  test(`config/simulation/${name}.json loads without a problem or a warning`, async () => {
    const result = await loadSimulationConfiguration(join(root, `config/simulation/${name}.json`), { env: {} });
    assert.deepEqual([result.kind, result.warnings], ['loaded', []]);
  });
