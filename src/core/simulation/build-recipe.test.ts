import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildStep, builtName, checkoutOf, recipeOf, type Recipe } from './build-recipe.ts';

const both: readonly Recipe[] = ['Dockerfile', 'Makefile'];

test('an image is built in containers alone, for projects that may have one; a Makefile is used for all', () => {
  const recipe = (container: boolean, build: 'never' | 'allowed' | 'all', allowed: boolean, recipes = both) =>
    recipeOf({ recipes, container, build, allowed });
  assert.deepEqual(
    [
      ...[recipe(true, 'allowed', true), recipe(true, 'allowed', false), recipe(true, 'all', false), recipe(true, 'never', true)],
      ...[recipe(false, 'all', true), recipe(true, 'never', true, ['Dockerfile']), recipe(true, 'all', true, [])],
    ],
    ['Dockerfile', 'Makefile', 'Dockerfile', 'Makefile', 'Makefile', undefined, undefined],
  );
});

test('a build keeps the name of its checkout', () => {
  assert.equal(checkoutOf(builtName('checkouts/a-b', '12')), 'checkouts/a-b');
  assert.equal(checkoutOf('checkouts/a-b'), 'checkouts/a-b');
});

test('the steps of a build are found in what engines print', () => {
  for (const line of ['STEP 3/7: RUN make', 'Step 3/7 : RUN make', '#9 [3/7] RUN make', '#12 [stage-1 3/7] RUN make'])
    assert.deepEqual(buildStep(line), { number: 3, of: 7 }, line);
  for (const line of [
    'step 3/7',
    'STEP 8/7: RUN x',
    'STEP 0/7: x',
    'see STEP 3/7: x',
    '#9 [internal] load',
    'STEP 3/7000: x',
    '',
  ])
    assert.equal(buildStep(line), undefined, line);
});
