import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsOf } from '../../test/support/settings.ts';
import { siteUrl } from './doctor.ts';

test('the site is the one that was given, else the one of the configuration', () => {
  assert.equal(siteUrl('https://b.org', settingsOf({ server: 'a.org' }))?.href, 'https://b.org/');
  assert.equal(siteUrl(undefined, settingsOf({ server: 'a.org' }))?.href, 'https://a.org/');
  const bare = settingsOf({ server: '::1', ssl: false, portRewrite: false });
  assert.equal(siteUrl(undefined, bare)?.href, 'http://[::1]:1999/');
  assert.equal(siteUrl('ftp://b.org', undefined), undefined);
  assert.equal(siteUrl(undefined, undefined), undefined);
});
