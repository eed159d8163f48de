import assert from 'node:assert/strict';
import { test } from 'node:test';
import { english } from '../../core/languages/en.ts';
import { builtIn } from '../../core/languages/languages.ts';
import { progressLines } from '../../core/simulation/client-lines.ts';
import { prospectOf, visitorView } from '../../core/views/visitor-view.ts';
import { GENERAL_CODES, SESSION_CODES, TICKET_CODES } from '../../http/server/api-codes.ts';
import { endTexts } from './end-texts.ts';
import { estimateText, waitingReason } from './fleet-texts.ts';
import { progressText } from './progress-text.ts';

test('every refusal is followed by what to do, and by the reason of the server if there is one', () => {
  for (const code of [...Object.keys(SESSION_CODES), 'a-new-code', '']) {
    const { text, reason } = endTexts(english, { kind: 'refused', code, reason: 'Because.' });
    assert.match(text, /\b(?:Try again|Ask|Wait|Check|Start again|send this message)\b/, code);
    assert.equal(reason, code === 'no-servers' ? '' : 'Because.', code);
  }
});

test('every refusal of a session is explained in the language of the page, without English', () => {
  for (const texts of builtIn)
    for (const code of Object.keys(TICKET_CODES)) {
      if (Object.hasOwn(GENERAL_CODES, code) || code === 'unknown-ticket') continue;
      const { text, reason } = endTexts(texts, { kind: 'refused', code, reason: 'Because.' });
      assert.notEqual(text, texts.refused, code);
      assert.equal(reason, texts === english && code !== 'no-servers' ? 'Because.' : '', code);
    }
});

test('the reason of a machine is explained, and in English only where it is for the author of the project', () => {
  const [, german] = builtIn;
  assert.ok(german !== undefined);
  const failed = (reason: string, code?: number) =>
    endTexts(german, { kind: 'failed', reason, ...(code !== undefined && { code }) });
  const cases: readonly (readonly [string, number | undefined, string, boolean])[] = [
    ['arm.wbt does not exist.', 1008, german.worldMissing.replace('{world}', 'arm.wbt'), false],
    ['The repository, branch or tag does not exist, or is private.', 1008, german.repositoryMissing, false],
    ['The simulation ran out of memory.', 1011, german.outOfMemory, false],
    ['The simulator ended with status 1.', 1011, german.simulationFails, true],
    ['The simulation server is stopping.', 1012, german.machineStops, false],
    ['The disk of this simulation server is full.', 1013, german.machineFails, false],
    ['The project is too large for this simulation server.', 1008, german.machineRefuses, true],
    ['Wrong Webots simulation URL: x.', undefined, german.machineRefuses, true],
    ['Something else.', undefined, german.machineFails, false],
  ];
  for (const [reason, code, text, isShown] of cases)
    assert.deepEqual(failed(reason, code), { text, reason: isShown ? reason : '' }, reason);
});

test('the lines of progress of a simulation server are translated, and others are not ours', () => {
  for (const step of ['fetching', 'preparing', 'starting', 'loading'] as const) {
    const [line = ''] = progressLines(step);
    assert.equal(progressText(english, line.replace('loading: ', '')), english[step]);
  }
  assert.equal(progressText(english, 'Trying another machine'), english.anotherMachine);
  assert.equal(progressText(english, 'Step 3/7: RUN make'), undefined);
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

test('an estimate is a range of minutes, or less than one', () => {
  const texts = [undefined, [5, 55], [30, 90], [61, 119], [120, 400]].map((range) => {
    const [from = 0, to = 0] = range ?? [];
    return estimateText(english, range && { from, to });
  });
  assert.deepEqual(texts, [english.noEstimate, english.soon, 'About 1–2 min.', 'About 1–2 min.', 'About 2–7 min.']);
});
