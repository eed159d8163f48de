import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { monitorPage, PAGE_POLICY } from './page.ts';

const facts = { hostName: 'lab', load: 12.34, measurement: undefined, machineUptime: 90_061, agentUptime: 59 };

test('a host name cannot bring its own HTML', () => {
  const page = monitorPage({ ...facts, hostName: '</title><script>alert("1")</script>' });
  assert.equal(page.match(/<script/g)?.length, 1);
  assert.ok(page.includes('&#60;script&#62;alert(&#34;1&#34;)'));
});

test('the policy allows exactly the style and the script of the page', () => {
  const page = monitorPage(facts);
  for (const [tag, directive] of [
    ['style', 'style-src'],
    ['script', 'script-src'],
  ] as const) {
    const content = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(page)![1]!;
    assert.ok(PAGE_POLICY.includes(`${directive} 'sha256-${createHash('sha256').update(content).digest('base64')}'`), tag);
  }
});

test('times are shown in days, hours and minutes', () => {
  assert.match(monitorPage(facts), /up for 1 d 1 h 1 min, load agent for 0 h 0 min/);
});

test('a GPU is shown with its memory, and absent swap space is not 0 percent', () => {
  const page = monitorPage({
    ...facts,
    measurement: { cpu: 1, memory: { used: 1, total: 2 }, swap: { used: 0, total: 0 }, gpu: { gpu: 33, gpuMemory: 44 } },
  });
  assert.match(page, />GPU<\/th><td class="figure">33\.0%/);
  assert.match(page, />GPU memory<\/th><td class="figure">44\.0%/);
  assert.match(page, />Swap<\/th><td class="figure">N\/A<\/td><td class="bar"><\/td><td>none</);
});
