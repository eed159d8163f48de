import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ANSWER_CODES, countInWords, explain, type AnswerCode, type Situation } from './explanation.ts';

function situation(id: string, more: Partial<Situation> = {}): Situation {
  const verdict = { kind: 'fits', predicted: 45.2 } as const;
  return {
    id,
    address: `${id}/2000`,
    state: 'available',
    since: 300,
    load: 37,
    loadThreshold: 95,
    booked: 0,
    admittance: 'open',
    shareIdleTime: 0,
    verdict,
    ...more,
  };
}

/** One of each, with the code and the sentence that say so. */
const cases: [Partial<Situation>, AnswerCode, RegExp][] = [
  [{}, 'first', /^It would get the session \(45% with this session\)\.$/],
  [{ state: 'draining' }, 'draining', /^It has been draining for 5 minutes, so new sessions go elsewhere\.$/],
  [
    { state: 'draining', drain: { by: 'ada', reason: 'new disk\n' } },
    'draining',
    /elsewhere; ada drained it until it is resumed: new disk\ufffd$/,
  ],
  [{ state: 'draining', drain: { by: 'ada', left: 7200 } }, 'draining', /elsewhere; ada drained it for another 2 hours$/],
  [
    { state: 'down', failure: 'nothing listens', drain: { by: 'ada', reason: 'new disk' } },
    'down',
    /^It has been down for 5 minutes: nothing listens; also, ada drained it until it is resumed: new disk$/,
  ],
  [{ state: 'down', failure: 'It refuses connections.' }, 'down', /^It has been down for 5 minutes: It refuses connections\.$/],
  [{ state: 'unknown', failure: 'no answer within 4 s' }, 'unknown', /^It did not answer the last probe: no answer/],
  [{ state: 'unknown', loadOnly: 'it reports load only; because' }, 'unknown', /^It reports load only; because\.$/],
  [{ verdict: { kind: 'closed' } }, 'unknown', /^It did not answer the last probe\.$/],
  [
    { verdict: { kind: 'suspected' } },
    'last-resort',
    /still looks idle\. It would get this one, because no other server has room/,
  ],
  [{ admittance: 'other-labels' }, 'other-labels', /requested labels/],
  [{ admittance: 'blocked' }, 'blocked-repository', /^It blocks this repository\.$/],
  [{ admittance: 'other-repository' }, 'other-repository', /^It does not allow this repository\.$/],
  [{ admittance: 'shared', shareIdleTime: 30 }, 'not-idle', /only while its load is below 30%; it is at 37%\.$/],
  [
    { admittance: 'shared', shareIdleTime: 50, load: 30, booked: 24 },
    'not-idle',
    /below 50%; it is at 30%, and at 54% with the sessions just handed out\.$/,
  ],
  [{ verdict: { kind: 'session-limit', sessions: 12 } }, 'session-limit', /its maximum number of sessions \(12\)\.$/],
  [
    { verdict: { kind: 'no-room', predicted: 96, target: 90 } },
    'no-room',
    /at 96% with this session; sessions start only below 90%\.$/,
  ],
  [
    { verdict: { kind: 'no-room', predicted: 96, target: 90, peak: 88 } },
    'no-room',
    /at 96% with this session, because it was at 88% a moment ago; sessions start only below 90%\.$/,
  ],
  [{ reserved: true }, 'kept', /^It has room, but it is reserved for clients already waiting\.$/],
  [{ reserved: true, verdict: { kind: 'suspected' } }, 'kept', /^It has room, but/],
  [{ reserved: true, verdict: { kind: 'no-room', predicted: 96, target: 90 } }, 'no-room', /^It would be at 96%/],
  [{ held: true }, 'held', /^It has room, but it is held for a class\.$/],
  [{ held: true, verdict: { kind: 'no-room', predicted: 96, target: 90 } }, 'no-room', /^It would be at 96%/],
  [{ state: 'full', load: 97 }, 'full', /^It is at 97%\. New sessions start there once/],
  [{ state: 'full', load: 30 }, 'full', /^It was full until a moment ago and is now at 30%\. New sessions start there once/],
];

describe('the answer of one server', () => {
  for (const [facts, code, sentence] of cases) {
    test(`${code}: ${JSON.stringify(facts)}`, () => {
      const takesIt = code === 'first' || code === 'last-resort';
      const [answer] = explain([situation('a', facts)], undefined, takesIt ? 'a' : undefined).answers;
      assert.equal(answer?.code, code);
      assert.match(answer.reason, sentence);
      assert.deepEqual([answer.eligible, answer.chosen], [takesIt, takesIt]);
    });
  }

  test('every code is among the cases', () => {
    assert.deepEqual(
      new Set<AnswerCode>([...cases.map(([, code]) => code), 'chosen', 'has-room', 'later-tier', 'suspected']),
      new Set(ANSWER_CODES),
    );
  });

  test('the chosen server says so, and servers of a later tier say that others come first', () => {
    const { answers } = explain(
      [situation('own', { admittance: 'dedicated' }), situation('twin', { admittance: 'dedicated' }), situation('all')],
      'own',
    );
    assert.deepEqual(
      answers.map(({ id, code, chosen, eligible }) => [id, code, chosen, eligible]),
      [
        ['own', 'chosen', true, true],
        ['twin', 'has-room', false, true],
        ['all', 'later-tier', false, true],
      ],
    );
    assert.equal(answers[0]?.reason, 'It got the session.');
  });

  test('one of several servers with room would get the session, and the others say that it would be less loaded', () => {
    const { summary, answers } = explain(
      [situation('a'), situation('b', { verdict: { kind: 'fits', predicted: 18 } }), situation('c', { state: 'down' })],
      undefined,
      'b',
    );
    assert.deepEqual(answers.map(({ code, chosen, reason }) => [code, chosen, reason]).slice(0, 2), [
      ['has-room', false, 'It has room (45% with this session), but another server would be less loaded.'],
      ['first', true, 'It would get the session (18% with this session).'],
    ]);
    assert.equal(summary, '3 servers: one would get the session, one has room, one is down');
  });

  test('only the suspected server that would get the session is a last resort', () => {
    const suspected: Partial<Situation> = { verdict: { kind: 'suspected' } };
    const codes = (first: string, ...situations: Situation[]) =>
      explain(situations, undefined, first).answers.map(({ code, eligible }) => [code, eligible]);
    assert.deepEqual(codes('b', situation('a', suspected), situation('b')), [
      ['suspected', false],
      ['first', true],
    ]);
    assert.deepEqual(codes('a', situation('a', suspected), situation('b', suspected), situation('c', { state: 'full' })), [
      ['last-resort', true],
      ['suspected', false],
      ['full', false],
    ]);
    assert.equal(
      explain([situation('a', suspected)], undefined, 'a').summary,
      '1 server: one is suspected of failing and would be tried',
    );
  });

  test('a later tier is used when the earlier ones have no room', () => {
    const { answers } = explain([situation('own', { admittance: 'dedicated', state: 'full' }), situation('all')]);
    assert.deepEqual(
      answers.map(({ code }) => code),
      ['full', 'has-room'],
    );
  });

  test('permanent reasons come before temporary ones', () => {
    const code = (facts: Partial<Situation>) => explain([situation('a', facts)]).answers[0]?.code;
    assert.equal(code({ admittance: 'other-repository', state: 'down' }), 'other-repository');
    assert.equal(code({ state: 'draining', verdict: { kind: 'suspected' } }), 'draining');
    assert.equal(code({ admittance: 'shared', shareIdleTime: 10, state: 'full' }), 'full');
  });

  test('idle time is shared strictly below the limit, as the routing has it', () => {
    const code = (load: number) => explain([situation('a', { admittance: 'shared', shareIdleTime: 50, load })]).answers[0]?.code;
    assert.deepEqual([code(49.9), code(50)], ['has-room', 'not-idle']);
  });
});

describe('the whole in one sentence', () => {
  test('3 servers: one is draining, one does not allow this repository, one is at 97%', () => {
    const { summary } = explain([
      situation('a', { state: 'full', load: 97 }),
      situation('b', { state: 'draining' }),
      situation('c', { admittance: 'other-repository' }),
    ]);
    assert.equal(summary, '3 servers: one is draining, one does not allow this repository, one is at 97%');
  });

  test('a large fleet is counted in groups, up to twelve in words', () => {
    const many = (count: number, facts: (index: number) => Partial<Situation>) =>
      Array.from({ length: count }, (_, i) => situation(String(i), facts(i)));
    const { summary } = explain([
      ...many(12, () => ({ state: 'down' })),
      ...many(13, () => ({ admittance: 'other-repository' })),
      ...many(900, (i) => ({ verdict: { kind: 'no-room', predicted: 91 + (i % 7), target: 90 } })),
      ...many(2, () => ({ state: 'unknown' })),
    ]);
    assert.equal(
      summary,
      '927 servers: twelve are down, two do not answer, 13 do not allow this repository, 900 have no room (91 to 97% with one more; the limit is 90%)',
    );
  });

  test('a server without room is listed with the limit, so that an available server is not taken for a free one', () => {
    const { summary } = explain([situation('a', { verdict: { kind: 'no-room', predicted: 94, target: 90 } })]);
    assert.equal(summary, '1 server: one has no room (94% with one more; the limit is 90%)');
  });

  test('a load at which no server is full is not given as the reason why one is', () => {
    const full = (...loads: number[]) => explain(loads.map((load, i) => situation(String(i), { state: 'full', load }))).summary;
    assert.equal(full(30), '1 server: one was full until a moment ago');
    assert.equal(full(94.9, 30, 95, 100), '4 servers: two are at 95 to 100%, two were full until a moment ago');
  });

  test('one server and none have a sentence too', () => {
    assert.equal(explain([situation('a', { state: 'down' })]).summary, '1 server: one is down');
    assert.equal(explain([]).summary, 'There is no simulation server here yet');
  });

  test('a server that was not probed yet is not reported as silent', () => {
    const { load: _, ...unheard } = situation('a', { state: 'unknown' });
    const silent = situation('b', { state: 'unknown', failure: 'no answer within 4 s' });
    assert.equal(explain([unheard]).summary, '1 server: one has not answered yet');
    assert.equal(explain([unheard, silent]).summary, '2 servers: two do not answer');
  });

  test('numbers are words up to twelve', () => {
    assert.deepEqual([0, 1, 2, 12, 13].map(countInWords), ['no', 'one', 'two', 'twelve', '13']);
  });
});

test('any fleet is explained without a gap: the groups add up, and every answer has a sentence', () => {
  const any = fc.constantFrom(...cases.map(([facts]) => facts));
  fc.assert(
    fc.property(fc.array(any, { minLength: 1, maxLength: 40 }), (fleet) => {
      const { summary, answers } = explain(
        fleet.map((facts, index) => situation(String(index), facts)),
        undefined,
        '0',
      );
      assert.ok(
        answers.every(({ reason }) => /^[A-Z]./.test(reason)),
        'sentences',
      );
      const words = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'];
      const counts = summary
        .replace(/^\d+ servers?: /, '')
        .split(', ')
        .map((phrase) => phrase.split(' ')[0] ?? '');
      const sum = counts.reduce((total, count) => total + (words.includes(count) ? words.indexOf(count) + 1 : Number(count)), 0);
      assert.equal(sum, fleet.length, summary);
    }),
  );
});
