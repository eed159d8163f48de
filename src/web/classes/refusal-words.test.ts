import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CalendarRule } from '../../core/reservations/calendar-event.ts';
import { german } from '../../core/languages/classes/de.ts';
import { NO_ANSWER } from './api.ts';
import { refusalWords } from './refusal-words.ts';

test('a refusal is in the language of the page, with its numbers', () => {
  const words = (refusal: object) => refusalWords({ code: 'bad-request', reason: 'In English.', ...refusal }, german, 30);
  const quota = { code: 'quota', rule: 'quota-seats', values: { max: 40, wanted: 50 } };
  assert.equal(words(quota), 'Sie dürfen 40 Plätze zur gleichen Zeit haben. Mit diesen wären es 50.');
  assert.equal(words({ code: 'code-in-use' }), german['refused.code-in-use']);
  assert.equal(words({ rule: 'in-the-past' }), german['refused.in-the-past']);
  assert.equal(words({ code: 'token-missing' }), german['refused.token']);
  assert.equal(words({ code: NO_ANSWER }), german.noAnswer);
});

test('every problem of a calendar file has words of its own', () => {
  const rules: Readonly<Record<CalendarRule, true>> = {
    ...{ 'calendar-unreadable': true, 'calendar-events': true, 'calendar-lessons': true, 'event-unreadable': true },
    ...{ 'event-all-day': true, 'event-zone': true, 'event-series': true, 'event-order': true, 'event-over': true },
    ...{ 'event-seats': true, 'event-length': true, 'no-such-time': true, 'bad-code': true, 'bad-project': true },
  };
  for (const rule of Object.keys(rules)) {
    const refusal = { code: 'bad-request', rule, reason: 'In English.', values: { max: 3, zone: 'Z', day: 'D' } };
    assert.doesNotMatch(refusalWords(refusal, german, 0), /In English|[{}]/, rule);
  }
});

test('a reason without a translation is shown in English', () => {
  const refusal = { code: 'odd', reason: 'The request is odd.' };
  assert.equal(refusalWords(refusal, german, 30), 'Das hat nicht geklappt. Der Sitzungsserver sagt: The request is odd.');
});
