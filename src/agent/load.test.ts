import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadOf, LoadWindow } from './load.ts';

const idle = { cpu: 0, memory: 0, swap: 0 };

test('the load is the highest of processor, mean memory and GPU', () => {
  assert.equal(loadOf({ ...idle, cpu: 40, memory: 60, gpu: 20, gpuMemory: 30 }), 40);
  assert.equal(loadOf({ ...idle, cpu: 40, memory: 60, swap: 60, gpu: 20, gpuMemory: 90 }), 70);
  assert.equal(loadOf({ ...idle, cpu: 40, memory: 60, gpu: 80, gpuMemory: 90 }), 80);
});

test('without a GPU memory is still divided by three, as the original does', () => {
  assert.equal(loadOf({ ...idle, memory: 90 }), 30);
});

test('there is no mean before the fifth sample', () => {
  const window = new LoadWindow();
  for (let second = 1; second <= 4; second += 1) {
    window.add(second, second);
    assert.equal(window.mean(second), undefined);
  }
  window.add(5, 5);
  assert.equal(window.mean(5), 3);
});

test('the mean is that of the last five samples', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 5, maxLength: 50 }), (loads) => {
      const window = new LoadWindow();
      loads.forEach((load, second) => window.add(load, second));
      assert.equal(window.mean(loads.length), loads.slice(-5).reduce((sum, load) => sum + load) / 5);
    }),
  );
});

test('the load is unknown once it is no longer measured', () => {
  const window = new LoadWindow();
  for (let second = 1; second <= 5; second += 1) window.add(50, second);
  assert.equal(window.mean(10), 50);
  assert.equal(window.mean(10.1), undefined);
});

test('after a gap, as when the machine slept, five new samples are needed', () => {
  const window = new LoadWindow();
  for (let second = 1; second <= 5; second += 1) window.add(100, second);
  for (let second = 601; second <= 604; second += 1) window.add(10, second);
  assert.equal(window.mean(604), undefined);
  window.add(10, 605);
  assert.equal(window.mean(605), 10);
});
