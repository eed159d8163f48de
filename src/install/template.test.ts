import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onlyIf, render } from './template.ts';

test('names are replaced by values, letter for letter', () => {
  assert.equal(render('{{a}}-{{b}}-{{a}}', { a: '$& {{b}}', b: 7 }), '$& {{b}}-7-$& {{b}}');
});

test('a section is repeated for each entry of its list, with the values around it', () => {
  const template = 'begin\n{{#list}}\n  {{item}} of {{all}}\n{{/list}}\nend\n';
  assert.equal(render(template, { all: 2, list: [{ item: 'x' }, { item: 'y' }] }), 'begin\n  x of 2\n  y of 2\nend\n');
  assert.equal(render(template, { all: 0, list: [] }), 'begin\nend\n');
});

test('sections can follow each other and be nested', () => {
  const template = '{{#a}}\n1\n{{#b}}\n2\n{{/b}}\n{{/a}}\n{{#c}}\n3\n{{/c}}\n';
  assert.equal(render(template, { a: [{ b: onlyIf(true) }, { b: onlyIf(false) }], c: onlyIf(true) }), '1\n2\n1\n3\n');
});

test('a name without a value and a value without a use are bugs', () => {
  assert.throws(() => render('{{a}}', {}), /"a" has no value/);
  assert.throws(() => render('{{toString}}', {}), /"toString" has no value/);
  assert.throws(() => render('{{#a}}\n{{/a}}\n', { a: 'text' }), /"a" has no value/);
  assert.throws(() => render('{{a}}', { a: [] }), /"a" has no value/);
  assert.throws(() => render('{{#a}}\nnever closed', { a: [] }), /"#a" has no value/);
  assert.throws(() => render('', { a: 1 }), /does not use "a"/);
  assert.throws(() => render('{{#a}}\nx\n{{/a}}\n', { a: [{ b: 1 }] }), /does not use "b"/);
});
