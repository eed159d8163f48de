import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Driving, directionOf, driveWords } from './driving.ts';

test('arrow keys drive, and other keys do not', () => {
  assert.equal(directionOf('ArrowUp'), 'forward');
  assert.equal(directionOf('KeyA'), 'armIn');
  for (const code of ['Tab', 'Enter', 'toString', '']) assert.equal(directionOf(code), undefined, code);
});

test('what is held becomes one message, and opposite directions cancel out', () => {
  assert.equal(driveWords(new Set()), 'drive 0 0 0 0');
  assert.equal(driveWords(new Set(['forward', 'right', 'armUp'])), 'drive 1 -1 1 0');
  assert.equal(driveWords(new Set(['left', 'right', 'armIn'])), 'drive 0 0 0 -1');
});

test('a message is repeated while something is held, and the last one is to stop', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const sent: string[] = [];
  const driving = new Driving((words) => sent.push(words));
  driving.press('forward');
  driving.press('forward');
  t.mock.timers.tick(800);
  driving.press('left');
  driving.releaseAll();
  t.mock.timers.tick(5000);
  const [forward, both, turn] = ['drive 1 0 0 0', 'drive 1 1 0 0', 'drive 0 1 0 0'];
  assert.deepEqual(sent, [forward, forward, forward, both, turn, 'drive 0 0 0 0']);
});
