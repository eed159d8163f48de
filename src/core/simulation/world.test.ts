import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typeLines, webotsImage, webotsVersion } from './world.ts';

test('the first line of a world names the version of Webots', () => {
  assert.equal(webotsVersion('#VRML_SIM R2025a utf8'), 'R2025a');
  assert.equal(webotsVersion('#VRML_SIM R2023b-rev1 utf8\r'), 'R2023b-rev1');
  for (const header of [
    '',
    '#VRML_SIM V8.6.2 utf8',
    '#VRML_SIM R2025a;id utf8',
    '#VRML_SIM ../x utf8',
    'R2025a',
    '#VRML_SIM R2025a utf8 x',
  ])
    assert.equal(webotsVersion(header), undefined, header);
});

test('versions up to R2023a run on the older image', () => {
  assert.equal(webotsImage('R2022b', {}), 'cyberbotics/webots.cloud:R2022b-ubuntu20.04');
  assert.equal(webotsImage('R2023a', {}), 'cyberbotics/webots.cloud:R2023a-ubuntu20.04');
  assert.equal(webotsImage('R2023b', {}), 'cyberbotics/webots.cloud:R2023b-ubuntu22.04');
  assert.equal(webotsImage('R2025a', { R2025a: 'own/webots' }), 'own/webots');
});

test('the type of a project is relayed without spaces, and nothing else', () => {
  assert.deepEqual(typeLines('publish: true\ntype: demo\n'), ['type:demo']);
  assert.deepEqual(typeLines('type: competition\r\nbenchmark:\n  type: x y\n'), ['type:competition', 'type:xy']);
  assert.deepEqual(typeLines('type: <b>\ntype: a:b\nmytype: demo\n'), []);
});
