import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeCertificate } from '../../../test/support/certificate.ts';
import { chainProblems } from './certificate-chain.ts';

const NOW = Date.now() / 1000;
const root = makeCertificate({ names: ['Root'] });
const intermediate = makeCertificate({ names: ['Intermediate'], issuer: { name: 'Root', key: root.key } });
const leaf = makeCertificate({ names: ['sim.example'], issuer: { name: 'Intermediate', key: intermediate.key } });

test('a chain from the certificate up to its authority is good, with or without the authority, and so is a self-signed one', () => {
  assert.deepEqual(chainProblems(leaf.cert + intermediate.cert, NOW), []);
  assert.deepEqual(chainProblems(leaf.cert + intermediate.cert + root.cert, NOW), []);
  assert.deepEqual(chainProblems(root.cert, NOW), []);
});

for (const [title, pem, expected] of [
  ['in the wrong order', leaf.cert + root.cert + intermediate.cert, /wrong order.*"CN=Root" did not sign/],
  ['with a gap', leaf.cert + root.cert, /or one is missing/],
  ['without the one that signed it', leaf.cert, /alone, without that of CN=Intermediate, /],
] as const)
  test(`a chain ${title} is reported`, () => {
    const problems = chainProblems(pem, NOW);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', expected);
  });

test('an intermediate certificate that expired is reported', () => {
  const old = makeCertificate({ names: ['Old'], days: -3, issuer: { name: 'Root', key: root.key } });
  const signed = makeCertificate({ names: ['sim.example'], issuer: { name: 'Old', key: old.key } });
  assert.match(chainProblems(signed.cert + old.cert, NOW).join(), /^the intermediate certificate "CN=Old" expired on /);
});
