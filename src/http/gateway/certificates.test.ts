import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeCertificate, type TestCertificate } from '../../../test/support/certificate.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { temporary } from '../../../test/support/start-program.ts';
import { startCertificates } from './certificates.ts';

const DAY = 86_400;

async function watched(t: TestContext, first?: TestCertificate) {
  const folder = temporary(t);
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const write = ({ cert, key }: Partial<TestCertificate>) => {
    if (cert !== undefined) writeFileSync(files.cert, cert);
    if (key !== undefined) writeFileSync(files.key, key);
  };
  if (first !== undefined) write(first);
  const clock = new FakeClock(1000, Date.now() / 1000);
  const log = new MemoryLog();
  const used: string[] = [];
  const notices: string[] = [];
  const certificates = await startCertificates({
    ...{ clock, log },
    files: () => files,
    use: ({ cert }) => used.push(cert),
    notify: (reason) => notices.push(reason),
  });
  t.after(() => certificates.stop());
  /** Time passes, and the files are read with the real file system. */
  const looks = async (what: string, seen: () => unknown) => {
    await eventually(what, async () => {
      await clock.advance(5);
      return seen();
    });
  };
  return { files, write, clock, log, used, notices, certificates, looks };
}

test('a new pair is used within 10 s, and its end is known', async (t) => {
  const [first, second] = [makeCertificate({ names: ['a'], days: 90 }), makeCertificate({ names: ['b'], days: 60 })];
  const { write, clock, used, notices, certificates } = await watched(t, first);
  assert.deepEqual(used, [first.cert]);
  const until = certificates.expiresAt() ?? 0;
  assert.ok(Math.abs(until - clock.wallTime() - 90 * DAY) < 2 * DAY);
  write(second);
  const before = clock.now();
  // Reading takes real time, which this clock knows nothing of: it is looked at again only once the first look must have been done.
  await clock.advance(5);
  await eventually('the second pair', () => used.length === 2);
  assert.ok(clock.now() - before < 10);
  assert.equal(used[1], second.cert);
  assert.ok((certificates.expiresAt() ?? 0) < until);
  assert.equal(notices.length, 0);
});

test('a pair that does not match, or is incomplete, is refused once with a line in the log, and the previous one stays', async (t) => {
  const [first, other] = [makeCertificate({ names: ['a'], days: 90 }), makeCertificate({ names: ['b'], days: 90 })];
  const { write, log, used, looks } = await watched(t, first);
  write({ cert: other.cert });
  await looks('the refusal', () => log.complaints.length === 1);
  assert.match(log.complaints[0] ?? '', /key does not belong to the certificate; the previous one stays in use/);
  write({ cert: first.cert.slice(0, 200) });
  await looks('the second refusal', () => log.complaints.length === 2);
  await looks('two more looks', () => true);
  assert.equal(log.complaints.length, 2, 'the same is said once');
  assert.equal(used.length, 1);
  write(other);
  await looks('the whole pair', () => used.length === 2);
});

const plain = makeCertificate({ names: ['a'] });
const encrypted = createPrivateKey(plain.key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' });

for (const [title, pair, expected] of [
  [
    'a key with a pass phrase',
    { ...plain, key: String(encrypted) },
    /has a pass phrase.*: openssl pkey -in "[^"]*key\.pem" -out NEW_FILE/,
  ],
  ['a key with a byte order mark', { ...plain, key: `\ufeff${plain.key}` }, /key\.pem begins with a byte order mark.*: sed -i /],
  [
    'a certificate with a byte order mark',
    { ...plain, cert: `\ufeff${plain.cert}` },
    /cert\.pem begins with a byte order mark.*: sed -i /,
  ],
  [
    'a certificate in place of the key',
    { ...plain, key: plain.cert },
    /key\.pem holds no private key in PEM.*openssl pkey -inform DER/,
  ],
  ['a certificate in DER', { ...plain, cert: '0\u0082' }, /cert\.pem holds no certificate in PEM.*openssl x509 -inform DER/],
] as const)
  test(`${title} is refused with its cause and the command that helps`, async (t) => {
    const { log, used } = await watched(t, pair);
    assert.deepEqual(used, []);
    assert.match(log.complaints.join(), expected);
  });

test('a pair whose chain other programs than browsers reject is used, with a warning', async (t) => {
  const issuer = makeCertificate({ names: ['Issuer'] });
  const pair = makeCertificate({ names: ['a'], issuer: { name: 'Issuer', key: issuer.key } });
  const { log, used } = await watched(t, { ...pair, cert: `${pair.cert}${plain.cert}` });
  assert.equal(used.length, 1);
  assert.match(log.complaints.join(), /^gateway\.tls: .*wrong order.*; use fullchain\.pem/);
});

test('a certificate that a wrong clock refused is used as soon as the clock is right', async (t) => {
  const { clock, used, log, write, looks } = await watched(t);
  clock.jumpWallTime(-30 * 365 * DAY);
  write(makeCertificate({ names: ['a'], days: 90 }));
  await looks('the refusal', () => log.complaints.some((line) => line.includes('is not valid before')));
  assert.equal(used.length, 0);
  clock.jumpWallTime(30 * 365 * DAY);
  await looks('the pair', () => used.length === 1);
});

test('operators are notified once 14 days before a certificate expires, and once when it expires', async (t) => {
  const { clock, notices, looks } = await watched(t, makeCertificate({ names: ['a'], days: 20 }));
  await looks('a look', () => true);
  assert.equal(notices.length, 0);
  clock.jumpWallTime(7 * DAY);
  await looks('the first notice', () => notices.length === 1);
  assert.match(notices[0] ?? '', /^it expires on \d{4}-\d\d-\d\d, in 1[234] days, and was not renewed$/);
  clock.jumpWallTime(14 * DAY);
  await looks('the second notice', () => notices.length === 2);
  assert.match(notices[1] ?? '', /expired .* clients can no longer connect/);
  await looks('another look', () => true);
  assert.equal(notices.length, 2);
});

test('a certificate that has expired before the start is reported at once, with its date', async (t) => {
  const { clock, notices, used, certificates } = await watched(t, makeCertificate({ names: ['a'], days: -3 }));
  assert.deepEqual(used, []);
  assert.match(notices[0] ?? '', /^it expired on .* clients can no longer connect/);
  assert.ok((certificates.expiresAt() ?? Infinity) < clock.wallTime());
});

test('a missing certificate is reported after ten minutes, because a new installation gets its first one sooner', async (t) => {
  const { clock, notices, looks, log } = await watched(t);
  assert.match(log.complaints[0] ?? '', /ENOENT.*accepts no TLS connections until there is a valid one/);
  await clock.advance(500);
  await looks('a look', () => true);
  assert.equal(notices.length, 0);
  await clock.advance(100);
  await looks('the notice', () => notices.length === 1);
  assert.match(notices[0] ?? '', /no usable certificate: ENOENT.*clients cannot connect/);
});
