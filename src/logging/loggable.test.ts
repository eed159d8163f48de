import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loggableFields, loggableText } from './loggable.ts';

test('the user name and password of a URL are hidden, also in the middle of a sentence', () => {
  assert.equal(
    loggableText('POST https://admin:hunter2@example.org/hook failed'),
    'POST https://[Redacted]@example.org/hook failed',
  );
  assert.equal(loggableText('smtp://user:p@ss:w@rd@mail:25'), 'smtp://[Redacted]@mail:25');
  assert.equal(loggableText('https://a:b@x and https://c:d@y'), 'https://[Redacted]@x and https://[Redacted]@y');
  for (const text of ['https://example.org/~me@home', 'me@example.org', 'https://example.org?to=a@b'])
    assert.equal(loggableText(text), text);
});

test('tokens in query strings and authorization headers are hidden', () => {
  assert.equal(loggableText('GET /api?a=1&access_token=abc123&b=2'), 'GET /api?a=1&access_token=[Redacted]&b=2');
  assert.equal(loggableText('/x?apiKey=k1'), '/x?apiKey=[Redacted]');
  assert.equal(loggableText('{"Authorization":"Basic dXNlcjpwdw=="}'), '{"Authorization":"[Redacted]"}');
  assert.equal(loggableText('authorization: Bearer abc'), 'authorization: [Redacted]');
  assert.equal(loggableText('sent Bearer abcdefghijklmnop.qrs=='), 'sent Bearer [Redacted]');
  assert.equal(loggableText('a token holder, bearer of news, key=value'), 'a token holder, bearer of news, key=value');
});

test('values of keys that name a secret are hidden at every depth and in every spelling', () => {
  const secrets = {
    password: 'a',
    mailSenderPassword: 'b',
    secret: 1,
    resumeToken: 'c',
    headers: { Authorization: 'd', 'set-cookie': ['e'], deeper: [{ API_KEY: 'f', pass_phrase: 'shown', passphrase: 'g' }] },
  };
  const text = JSON.stringify(loggableFields(secrets));
  assert.doesNotMatch(text, /"[a-g]"|1/);
  assert.match(text, /"pass_phrase":"shown"/);
});

test('numbers have at most three decimals, which is as much as people read of loads and seconds', () => {
  const fields = {
    waited: 1.5077552790000002,
    predicted: 44.5,
    load: 0.1 + 0.2,
    port: 1999,
    id: Number.MAX_SAFE_INTEGER,
    huge: 1e300,
  };
  const logged = { waited: 1.508, predicted: 44.5, load: 0.3, port: 1999, id: Number.MAX_SAFE_INTEGER, huge: 1e300 };
  assert.deepEqual(loggableFields(fields), logged);
});

test('whether there is a password may be logged', () => {
  assert.deepEqual(loggableFields({ password: true, token: null, secret: undefined }), { password: true, token: null });
});

test('an error keeps what an administrator needs', () => {
  const error = Object.assign(new Error('connect ECONNREFUSED smtp://u:p@mail', { cause: new TypeError('why') }), {
    code: 'ECONNREFUSED',
    password: 'x',
  });
  const { error: copy } = loggableFields({ error }) as { error: Record<string, unknown> };
  assert.equal(copy.type, 'Error');
  assert.equal(copy.message, 'connect ECONNREFUSED smtp://[Redacted]@mail');
  assert.equal(copy.code, 'ECONNREFUSED');
  assert.equal(copy.password, '[Redacted]');
  assert.equal('stack' in copy, false, 'where a failure of the outside world was noticed helps no operator');
  assert.equal((copy.cause as Record<string, unknown>).message, 'why');
});

test('an error that is a bug keeps its stack, without secrets', () => {
  for (const bug of [new TypeError('smtp://u:p@mail'), Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' })]) {
    const { error: copy } = loggableFields({ error: bug }) as { error: Record<string, unknown> };
    assert.match(String(copy.stack), /loggable\.test/);
    assert.doesNotMatch(String(copy.stack), /u:p/);
  }
});

test('a long text is truncated, and says so', () => {
  const cut = loggableText('x'.repeat(1_000_000));
  assert.ok(cut.length < 4200);
  assert.match(cut, /x… \(truncated, 1000000 characters\)$/);
  assert.equal(loggableText('x'.repeat(4096)), 'x'.repeat(4096));
});

test('truncation does not uncover a secret', () => {
  const cut = loggableText(`${'x'.repeat(4080)} https://user:hunter2@host`);
  assert.doesNotMatch(cut, /user/);
});

test('cycles, depth, width and unusual values are bounded', () => {
  const circle: Record<string, unknown> = { name: 'circle' };
  circle.self = circle;
  const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`key${index}`, 'y'.repeat(1000)]));
  const values = {
    circle,
    list: Array.from({ length: 1000 }, (_, index) => index),
    number: NaN,
    big: 10n,
    symbol: Symbol('s'),
    call: test,
    date: new Date(0),
    invalid: new Date(NaN),
    bytes: Buffer.alloc(10),
    url: new URL('https://u:p@host/'),
    map: new Map([['token', 'x']]),
    set: new Set([1]),
  };
  assert.ok(JSON.stringify(loggableFields({ wide })).length < 20_000);
  const copy = loggableFields({ ...values, list: [1] });
  assert.deepEqual(
    { ...copy, circle: undefined, call: undefined },
    {
      circle: undefined,
      list: [1],
      number: 'NaN',
      big: '10',
      symbol: 'Symbol(s)',
      call: undefined,
      date: '1970-01-01T00:00:00.000Z',
      invalid: 'Invalid Date',
      bytes: '[10 bytes]',
      url: 'https://[Redacted]@host/',
      map: { token: '[Redacted]' },
      set: [1],
    },
  );
  assert.match(JSON.stringify(loggableFields(values)), /more was cut|more"/);
});

test('anything at all gives a bounded copy that is JSON', () => {
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
      (value) => {
        assert.ok(JSON.stringify(loggableFields({ value })).length < 100_000);
      },
    ),
  );
});
