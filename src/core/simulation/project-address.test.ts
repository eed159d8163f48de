import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readProjectAddress } from './project-address.ts';

const options = { hosts: [], extension: '.wbt' };
const refusalOf = (text: string) => {
  const result = readProjectAddress(text, options);
  return result.kind === 'refused' ? result.text : undefined;
};

test('the URL of a world gives the repository, each possible version and the world', () => {
  const result = readProjectAddress('https://github.com/Acme/Arm/blob/main/robots/one/worlds/arm.wbt', options);
  assert.ok(result.kind === 'project', 'it is a project');
  assert.deepEqual(result.project, {
    url: 'https://github.com/Acme/Arm/blob/main/robots/one/worlds/arm.wbt',
    key: 'github.com/acme/arm/robots/one/worlds/arm.wbt',
    repository: 'github.com/acme/arm',
    remote: 'https://github.com/Acme/Arm',
    readings: [
      { version: 'main/robots/one', folder: '' },
      { version: 'main/robots', folder: 'one' },
      { version: 'main', folder: 'robots/one' },
    ],
    world: 'arm.wbt',
  });
});

test('refusals are those of the original, word for word', () => {
  assert.equal(refusalOf('https://github.com/acme/arm'), 'Wrong Webots simulation URL');
  assert.equal(
    refusalOf('https://github.com/acme/arm/raw/main/worlds/arm.wbt'),
    'Missing blob in Webots simulation URL, founds raw',
  );
  assert.equal(
    refusalOf('https://github.com/acme/arm/blob/main/models/arm.wbt'),
    'Missing worlds folder in Webots simulation URL',
  );
  assert.equal(refusalOf('https://github.com/acme/arm/blob/main/worlds/arm.txt'), 'Missing world file in Webots simulation URL');
  assert.match(refusalOf('ftp://github.com/acme/arm/blob/main/worlds/arm.wbt') ?? '', /^Unsupported URL protocol: /);
});

test('a project whose form is wrong still says which repository it is from', () => {
  const result = readProjectAddress('https://github.com/acme/arm/tree/main', options);
  assert.ok(result.kind === 'refused', 'it is refused');
  assert.equal(result.repository, 'github.com/acme/arm');
});

test('characters that a shell or a file system would interpret are refused', () => {
  for (const part of ['$(id)', '`id`', '"', "'", ';', '..', '-x', 'a b', 'a\nb', '%2e%2e', '\\', '*', '~', '\u202e'])
    for (const url of [
      `https://github.com/${part}/arm/blob/main/worlds/arm.wbt`,
      `https://github.com/acme/${part}/blob/main/worlds/arm.wbt`,
      `https://github.com/acme/arm/blob/${part}/worlds/arm.wbt`,
      `https://github.com/acme/arm/blob/main/${part}/worlds/arm.wbt`,
      `https://github.com/acme/arm/blob/main/worlds/${part}.wbt`,
    ])
      assert.notEqual(refusalOf(url), undefined, url);
});

test('worlds of another simulator have another extension', () => {
  const result = readProjectAddress('https://github.com/acme/arm/blob/main/worlds/arm.sdf', { hosts: [], extension: '.sdf' });
  assert.equal(result.kind, 'project');
  assert.equal(refusalOf('https://github.com/acme/arm/blob/main/worlds/arm.sdf'), 'Missing world file in Webots simulation URL');
});

test('2,000 addresses: an accepted one has no character with a meaning to a shell, to Git or to a file system', () => {
  const odd = fc.constantFrom(
    'main',
    'a',
    '-a',
    '..',
    '.',
    '$x',
    '"',
    '`',
    ' ',
    '\n',
    '%00',
    '\0',
    '*',
    'worlds',
    'é',
    '@{1}',
    '^',
    ':',
  );
  const segment = fc.oneof(
    fc.string({ maxLength: 8 }),
    odd,
    odd.chain((a) => odd.map((b) => a + b)),
  );
  fc.assert(
    fc.property(fc.array(segment, { minLength: 3, maxLength: 7 }), segment, (segments, world) => {
      const result = readProjectAddress(`https://github.com/acme/${segments.join('/')}/worlds/${world}.wbt`, options);
      if (result.kind === 'refused') {
        assert.match(result.text, /^[ -~]{1,400}$/, 'the reason is plain text');
        return;
      }
      const { remote, readings } = result.project;
      for (const text of [
        remote.slice('https://'.length),
        result.project.world,
        ...readings.flatMap(({ version, folder }) => [version, folder]),
      ]) {
        assert.match(text, /^[\p{L}\p{M}\p{N}._+,=/-]*$/u);
        assert.ok(!text.startsWith('-') && !text.startsWith('/') && !text.includes('..') && !text.includes('/-'), text);
      }
    }),
    { numRuns: 2000 },
  );
});
