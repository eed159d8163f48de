import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  addressOfUrl,
  entryOfForm,
  giveUpAfter,
  isNetworkProved,
  nextCheck,
  reasonToRemove,
  refuseAddress,
  refuseIpHost,
} from './registration.ts';

const rules = { heartbeat: 30, missedHeartbeats: 3, forgetAfter: 3600 };

describe('the form of the original', () => {
  test('gives an entry as it may be written in the configuration', () => {
    const form = {
      url: 'https://sim.example.org/2000',
      shareIdleTime: '50',
      allowedRepositories: 'https://github.com/a,github.com/b/c',
    };
    assert.deepEqual(entryOfForm(form), {
      kind: 'entry',
      entry: {
        address: 'sim.example.org/2000',
        shareIdleTime: 50,
        allowedRepositories: ['https://github.com/a', 'github.com/b/c'],
      },
    });
  });

  test('without repositories is open to all', () => {
    const form = { url: 'http://10.0.0.3:2000', shareIdleTime: '0', allowedRepositories: '' };
    assert.deepEqual(entryOfForm(form), { kind: 'entry', entry: { address: '10.0.0.3:2000', shareIdleTime: 0 } });
  });

  for (const shareIdleTime of ['many', '-1', '1e3', 'NaN', '1000'])
    test(`is refused when shareIdleTime is ${shareIdleTime}`, () => {
      assert.equal(entryOfForm({ url: 'https://a/2000', shareIdleTime }).kind, 'refused');
    });

  test('never makes it throw', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (url, shareIdleTime, allowedRepositories) => {
        assert.match(entryOfForm({ url, shareIdleTime, allowedRepositories }).kind, /^(?:entry|refused)$/);
      }),
    );
  });
});

test('a URL is read as the address in it', () => {
  const addresses = [
    'https://a/2000',
    'wss://a/2000/',
    'http://a:2000',
    'ws://[::1]:2000',
    'a/2000',
    'https://a',
    'https://a:8443/b/2000',
  ].map(addressOfUrl);
  assert.deepEqual(addresses, ['a/2000', 'a/2000', 'a:2000', '[::1]:2000', 'a/2000', 'a', 'a:8443/b/2000']);
});

test('a URL with more than an address is none', () => {
  for (const url of ['', 'ftp://a/2000', 'https://', 'https://a/2000?b', 'a b', 'https://a/b//c'])
    assert.equal(addressOfUrl(url), undefined, url);
});

describe('addresses', () => {
  const careful = { allowPrivate: false, allowLoopback: false };
  const open = { allowPrivate: true, allowLoopback: true };

  test('of the Internet are always accepted', () => {
    assert.equal(refuseAddress('8.8.8.8', careful), undefined);
  });

  test('of private networks are accepted when the configuration says so', () => {
    assert.match(refuseAddress('10.0.0.3', careful) ?? '', /allowPrivate/);
    assert.equal(refuseAddress('10.0.0.3', { ...careful, allowPrivate: true }), undefined);
  });

  test('of this machine and link-local ones are accepted when the configuration says so', () => {
    for (const ip of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '169.254.169.254', 'fe80::1']) {
      assert.match(refuseAddress(ip, { ...careful, allowPrivate: true }) ?? '', /allowLoopback/, ip);
      assert.equal(refuseAddress(ip, open), undefined, ip);
    }
  });

  test('that belong to no machine are never accepted', () => {
    for (const ip of ['0.0.0.0', '::', '224.0.0.1', '255.255.255.255', 'ff02::1', 'no address'])
      assert.notEqual(refuseAddress(ip, open), undefined, ip);
  });

  test('in figures are judged at once, names when they are looked up', () => {
    assert.match(refuseIpHost('10.0.0.3', careful) ?? '', /allowPrivate/);
    assert.match(refuseIpHost('::1', careful) ?? '', /allowLoopback/);
    assert.equal(refuseIpHost('10.0.0.3', open), undefined);
    assert.equal(refuseIpHost('localhost', careful), undefined);
  });
});

describe('a registered server', () => {
  test('with heartbeats leaves when several were missed, not when one was', () => {
    const presence = { heartbeats: true, lastSeenAt: 100 };
    assert.equal(reasonToRemove(presence, 189, rules), undefined);
    assert.match(reasonToRemove(presence, 190, rules) ?? '', /3 heartbeats/);
  });

  test('of the original need not register again', () => {
    assert.equal(reasonToRemove({ heartbeats: false, lastSeenAt: 0 }, 1e9, rules), undefined);
  });

  test('leaves when it was down for long, not when it just went down', () => {
    const presence = { heartbeats: false, lastSeenAt: 0, downSince: 1000 };
    assert.equal(reasonToRemove(presence, 4599, rules), undefined);
    assert.match(reasonToRemove(presence, 4600, rules) ?? '', /3600 s/);
  });

  test('is not blamed for the time in which no server answered', () => {
    const presence = { heartbeats: false, lastSeenAt: 0, downSince: 1000, deafUntil: 9000 };
    assert.equal(reasonToRemove(presence, 9000, rules), undefined);
    assert.equal(reasonToRemove(presence, 12_599, rules), undefined);
    assert.match(reasonToRemove(presence, 12_600, rules) ?? '', /3600 s/);
  });

  test('never leaves for anything that began less than two heartbeats ago', () => {
    const anyRules = fc.record({
      heartbeat: fc.integer({ min: 1, max: 3600 }),
      missedHeartbeats: fc.integer({ min: 2, max: 1000 }),
      forgetAfter: fc.integer({ min: 10, max: 1e6 }),
    });
    fc.assert(
      fc.property(anyRules, fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), (rules, heartbeats, part) => {
        const ago = part * Math.min(2 * rules.heartbeat, rules.forgetAfter) * 0.99;
        const presence = { heartbeats, lastSeenAt: 1000 - ago, downSince: 1000 - ago };
        assert.equal(reasonToRemove(presence, 1000, rules), undefined);
      }),
    );
  });
});

test('a server is checked soon, then more and more rarely, and not indefinitely', () => {
  const pauses = [0, 1, 2, 3, 4, 5, 100].map(nextCheck);
  assert.deepEqual(pauses, [0.5, 2, 4, 8, 16, 30, 30]);
  assert.equal(giveUpAfter(rules), 900);
  assert.equal(giveUpAfter({ ...rules, forgetAfter: 60 }), 60);
});

test('a server on another machine proves the network, and one on this machine only when there are no others', () => {
  const here = { host: 'localhost', responds: true };
  const alsoHere = { host: '127.0.0.1', responds: true };
  const gone = { host: 'sim1.example.org', responds: false };
  const there = { host: '10.0.0.2', responds: true };
  assert.equal(isNetworkProved([]), false);
  assert.equal(isNetworkProved([here]), true);
  assert.equal(isNetworkProved([alsoHere, { ...here, responds: false }]), true);
  assert.equal(isNetworkProved([{ ...here, responds: false }]), false);
  assert.equal(isNetworkProved([here, alsoHere, gone]), false, 'it may be our network that is down');
  assert.equal(isNetworkProved([gone, there, { ...here, responds: false }]), true);
});
