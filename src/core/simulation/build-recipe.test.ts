import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtName, checkoutOf, recipeOf, type Recipe } from './build-recipe.ts';

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
