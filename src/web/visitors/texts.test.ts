import assert from 'node:assert/strict';
import { test } from 'node:test';
import { english } from '../../core/languages/en.ts';
import { prospectOf, visitorView } from '../../core/views/visitor-view.ts';
import { SESSION_CODES } from '../../http/server/api-codes.ts';
import { endTexts } from './end-texts.ts';
import { waitingReason } from './fleet-texts.ts';

test('every refusal is followed by what to do, and by the reason of the server if there is one', () => {
  for (const code of [...Object.keys(SESSION_CODES), 'a-new-code', '']) {
    const { text, reason } = endTexts(english, { kind: 'refused', code, reason: 'Because.' });
    assert.match(text, /\b(?:Try again|Ask|Wait|Check|Start again|send this message)\b/, code);
    assert.equal(reason, code === 'no-servers' ? '' : 'Because.', code);
  }
});

test('a visitor who waits is shown why, in the words of the fleet', () => {
  const waiting = { length: 3, longest: 1, estimate: null };
  const view = (places: number, ...states: Parameters<typeof visitorView>[1]) =>
    visitorView({ open: false, places, waiting }, states);
  assert.equal(waitingReason(english, view(0, 'full', 'available')), english.busyReason);
  assert.equal(
    waitingReason(english, view(0, 'full', 'down', 'unknown', 'draining')),
    `${english.busyReason} Machines that do not answer: 2. Machines in maintenance: 1.`,
  );
  assert.equal(waitingReason(english, view(2, 'available')), english.orderReason);
  assert.equal(waitingReason(english, view(0, 'down', 'unknown')), english.silent);
  assert.deepEqual([prospectOf(view(0)), prospectOf({ ...view(1, 'available'), open: true })], ['empty', 'open']);
});
