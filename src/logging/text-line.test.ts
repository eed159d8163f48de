import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_LINE, textLine } from './text-line.ts';

const wallTime = new Date(2026, 10, 22, 15, 18, 24, 789).getTime() / 1000;

test('a line is what the original writes: local time with milliseconds, padded level, two spaces', () => {
  assert.equal(textLine({ level: 'info', wallTime, message: 'Started' }), '2026-11-22 15:18:24,789 [INFO   ]  Started\n');
  assert.equal(textLine({ level: 'warn', wallTime, message: 'x' }), '2026-11-22 15:18:24,789 [WARNING]  x\n');
  assert.equal(textLine({ level: 'error', wallTime, message: 'x' }), '2026-11-22 15:18:24,789 [ERROR  ]  x\n');
  assert.equal(textLine({ level: 'debug', wallTime, message: 'x' }), '2026-11-22 15:18:24,789 [DEBUG  ]  x\n');
});

test('the time is right in every second, forward and backward', () => {
  const at = (milliseconds: number): string => textLine({ level: 'info', wallTime: wallTime + milliseconds / 1000, message: '' });
  assert.match(at(210), /^2026-11-22 15:18:24,999 /);
  assert.match(at(211), /^2026-11-22 15:18:25,000 /);
  assert.match(at(-790), /^2026-11-22 15:18:23,999 /);
  assert.match(at(-789), /^2026-11-22 15:18:24,000 /);
});

test('fields follow the message as key=value', () => {
  const fields = { server: 'host/2000', load: 20.5, open: true, none: null, reason: 'not a "number"', list: ['a', 1], empty: '' };
  assert.equal(
    textLine({ level: 'info', wallTime, message: 'Probed', fields }),
    '2026-11-22 15:18:24,789 [INFO   ]  Probed server=host/2000 load=20.5 open=true none=null reason="not a \\"number\\"" list=["a",1] empty=""\n',
  );
});

test('an object in the fields is one key a value, deeper ones are JSON', () => {
  const fields = { error: { code: 'ECONNREFUSED', cause: { port: 25 } } };
  assert.match(
    textLine({ level: 'info', wallTime, message: 'No', fields }),
    / No error\.code=ECONNREFUSED error\.cause=\{"port":25\}\n$/,
  );
});

test('a message cannot forge a second line', () => {
  const forged = 'x\n2026-11-22 15:18:24,789 [INFO   ]  all is well\r\u2028\u0085';
  assert.equal(
    textLine({ level: 'info', wallTime, message: forged }),
    '2026-11-22 15:18:24,789 [INFO   ]  x\\n2026-11-22 15:18:24,789 [INFO   ]  all is well\\r\\u2028\\x85\n',
  );
});

test('neither can keys and values of fields, and a value cannot forge another field', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string({ unit: 'binary', minLength: 1 }),
        fc.anything({ maxDepth: 2, key: fc.string({ unit: 'binary' }) }),
      ),
      (anything) => {
        const fields = JSON.parse(
          JSON.stringify(anything, (_, value: unknown) => (typeof value === 'bigint' ? 0 : value)),
        ) as Record<string, unknown>;
        const line = textLine({ level: 'info', wallTime, message: 'm', fields });
        assert.doesNotMatch(line.slice(0, -1), /[\p{Cc}\p{Zl}\p{Zp}]/u);
      },
    ),
  );
  assert.match(textLine({ level: 'info', wallTime, message: 'm', fields: { path: 'x admin=yes' } }), / path="x admin=yes"\n$/);
  assert.match(textLine({ level: 'info', wallTime, message: 'm', fields: { path: 'x="' } }), / path="x=\\""\n$/);
});

test('the length of a line is bounded', () => {
  const line = textLine({ level: 'info', wallTime, message: '\u0000'.repeat(10_000) });
  assert.ok(line.length < MAX_LINE + 20);
  assert.ok(line.endsWith('… (cut)\n'));
});
