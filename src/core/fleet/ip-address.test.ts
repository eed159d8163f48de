import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressKind, canonicalIpv6, mappedIpv4, type AddressKind } from './ip-address.ts';

const kinds: readonly (readonly [string, AddressKind | undefined])[] = [
  ['8.8.8.8', 'public'],
  ['172.15.255.255', 'public'],
  ['172.32.0.0', 'public'],
  ['100.128.0.1', 'public'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['169.254.169.254', 'link-local'],
  ['10.0.0.3', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'private'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['255.255.255.255', 'reserved'],
  ['192.0.2.1', 'reserved'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['0:0:0:0:0:0:0:1', 'loopback'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['febf::1', 'link-local'],
  ['fc00::1', 'private'],
  ['fdff::1', 'private'],
  ['ff02::1', 'multicast'],
  ['2001:db8::1', 'reserved'],
  ['2606:4700::1111', 'public'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['::ffff:8.8.8.8', 'public'],
  ['::127.0.0.1', 'loopback'],
  ['::ffff:0:127.0.0.1', 'loopback'],
  ['64:ff9b::10.0.0.1', 'private'],
  ['64:ff9b:1:a00:0:100:808:808', 'reserved'],
  ['2002:7f00:1::', 'loopback'],
  ['localhost', undefined],
  ['', undefined],
  ['1.2.3', undefined],
  ['1.2.3.256', undefined],
  ['1::2::3', undefined],
  [':', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
];

for (const [address, kind] of kinds)
  test(`${address === '' ? 'an empty text' : address} is ${kind ?? 'no address'}`, () => {
    assert.equal(addressKind(address), kind);
  });

test('whatever Node takes for an address has a kind, and nothing else', () => {
  const texts = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef:.')), maxLength: 40 }),
    fc.string(),
  );
  fc.assert(
    fc.property(texts, (text) => {
      // Node accepts no leading zeros in IPv4. Programs that do may read them as octal.
      if (/(?:^|[.:])0\d/.test(text) && text.includes('.')) return;
      assert.equal(addressKind(text) !== undefined, isIP(text) !== 0, text);
    }),
  );
});

test('all spellings of an IPv6 address have one canonical form', () => {
  for (const [text, canonical] of [
    ['::1', '::1'],
    ['0::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['0000:0000::0001', '::1'],
    ['::', '::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['fe80::', 'fe80::'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
    ['1.2.3.4', undefined],
    ['host', undefined],
  ] as const)
    assert.equal(canonicalIpv6(text), canonical, text);
});

test('the canonical form is the one that URLs have', () => {
  const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const text = groups.map((each) => each.toString(16).padStart(4, '0').toUpperCase()).join(':');
      assert.equal(`[${canonicalIpv6(text)}]`, new URL(`http://[${text}]/`).hostname);
    }),
  );
});

test('an IPv4 address is read out of the IPv6 address that maps it, and out of no other', () => {
  for (const text of ['::ffff:192.0.2.7', '::ffff:c000:207', '0:0:0:0:0:FFFF:C000:0207'])
    assert.equal(mappedIpv4(text), '192.0.2.7', text);
  for (const text of ['::192.0.2.7', '::fffe:c000:207', '1::ffff:c000:207', '64:ff9b::c000:207', '192.0.2.7', '::ffff:c000', 'x'])
    assert.equal(mappedIpv4(text), undefined, text);
});
