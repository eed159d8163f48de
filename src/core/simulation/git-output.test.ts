import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTree, refsOf, remoteFailure, resolveVersion, versionIsCommit } from './git-output.ts';

const a = 'a'.repeat(40);
const b = 'b'.repeat(40);
const readings = [
  { version: 'feature/arm', folder: '' },
  { version: 'feature', folder: 'arm' },
];

test('the longest version that exists is meant', () => {
  assert.deepEqual(resolveVersion(readings, `${a}\trefs/heads/feature/arm\n`), { version: 'feature/arm', folder: '', commit: a });
  assert.deepEqual(resolveVersion(readings, `${a}\trefs/heads/feature\n`), { version: 'feature', folder: 'arm', commit: a });
  assert.equal(resolveVersion(readings, `${a}\trefs/heads/other\n${a}\trefs/x/refs/heads/feature\n`), undefined);
});

test('a branch goes before a tag, and of a tag with a message its commit counts', () => {
  const tag = `${a}\trefs/tags/feature\n${b}\trefs/tags/feature^{}\n`;
  assert.equal(resolveVersion(readings, tag)?.commit, b);
  assert.equal(resolveVersion(readings, `${tag}${a}\trefs/heads/feature\n`)?.commit, a);
});

test('the repository is asked for branches and tags of each possible version', () => {
  assert.equal(refsOf(readings).length, 6);
  assert.ok(refsOf(readings).includes('refs/heads/feature/arm'), 'the longest is among them');
});

test('forty digits are a commit and need no question', () => {
  assert.equal(
    versionIsCommit({
      readings: [
        { version: `${a}/x`, folder: '' },
        { version: a, folder: 'x' },
      ],
    })?.folder,
    'x',
  );
  assert.equal(versionIsCommit({ readings: [{ version: 'a'.repeat(39), folder: '' }] }), undefined);
});

test('a tree gives its worlds, its links and the settings of the project', () => {
  const entries = [
    `100644 blob ${a}\twebots.yaml`,
    `100644 blob ${a}\tworlds/arm.wbt`,
    `120000 blob ${a}\tworlds/link.wbt`,
    `100644 blob ${a}\tworlds/textures/x\n.png`,
    `160000 commit ${a}\tsub`,
    `100644 blob ${a}\tMakefile`,
    `120000 blob ${a}\tDockerfile`,
    `100644 blob ${a}\tworlds/Dockerfile`,
    'nonsense',
  ];
  assert.deepEqual(readTree(`${entries.join('\0')}\0`), {
    ...{
      links: ['worlds/link.wbt', 'Dockerfile'],
      worlds: ['arm.wbt', 'Dockerfile'],
      recipes: ['Makefile'],
      files: 8,
      webotsYaml: 'webots.yaml',
    },
  });
});

test('a repository that does not exist is distinguished from one that cannot be reached', () => {
  for (const text of [
    "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
    "remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found",
    "fatal: '/srv/mirror/a/b' does not appear to be a git repository",
  ])
    assert.equal(remoteFailure(text), 'missing', text);
  for (const text of [
    "fatal: unable to access 'https://github.com/a/b/': Could not resolve host: github.com",
    "fatal: unable to access 'http://127.0.0.1:1/a/b/': The requested URL returned error: 500",
    "fatal: unable to access 'x': Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server",
    'fatal: the remote end hung up unexpectedly',
  ])
    assert.equal(remoteFailure(text), 'unreachable', text);
  assert.equal(remoteFailure('error: unable to write file /tmp/x: No space left on device'), 'full');
  assert.equal(remoteFailure('fatal: bad object'), undefined);
});
