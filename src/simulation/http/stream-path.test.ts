import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { leadsThroughLink, passablePath } from './stream-path.ts';

const none = () => false;

test('plain paths are forwarded as they are', () => {
  for (const path of ['/', '/textures/red%20brick.png', '/robot_windows/generic/generic.html?name=x', '/~a/b.wbt'])
    assert.equal(passablePath(path, none), path);
  assert.equal(passablePath('http://host:2001/a.png', none), '/a.png');
});

test('whatever could lead out of the project is not', () => {
  for (const path of [
    ...['/../etc/passwd', '/a/../../x', '/%2e%2e/x', '/a/%2E%2E/x', '/..%2fx', '/%252e%252e/x', '//etc/passwd', '/a//b', '/./x'],
    ...['/a\\..\\b', '/a%5c..%5cb', '/a%00.png', '/a b', '/a\r\nHost: x', '/%', '', 'etc', '/é', '/a?\x00', '*'],
  ])
    assert.equal(passablePath(path, none), undefined, JSON.stringify(path));
});

test('links of the project are not served, nor anything below them', () => {
  const denied = (path: string) => leadsThroughLink(new Set(['worlds/secret.txt', 'out']), path);
  for (const path of ['/worlds/secret.txt', '/out/passwd', '/out', '/%6fut/x'])
    assert.equal(passablePath(path, denied), undefined, path);
  assert.equal(passablePath('/worlds/secret.txt2', denied), '/worlds/secret.txt2');
});

test('no path that is forwarded has a segment of dots, however it is written', () => {
  const part = fc.constantFrom('.', '..', '%2e', '%2E%2e', '/', '%2f', 'a', '%25', '2e', '\\', '?', '#', '\0');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const path = passablePath(`/${parts.join('')}`, none);
      if (path === undefined) return;
      const decoded = decodeURIComponent(path.split('?')[0] ?? '');
      assert.ok(!decoded.split(/[/\\]/).some((segment) => segment === '..' || segment === '.'), path);
    }),
  );
});
