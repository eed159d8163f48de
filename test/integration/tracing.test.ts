/** Traces of session requests, as a collector gets them by OTLP over HTTP. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { MemoryLog } from '../support/memory-log.ts';
import { eventually } from '../support/eventually.ts';
import { startProgram } from '../support/start-program.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';
import { startTracing } from '../../src/tracing/tracing.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
  readonly status: { readonly code?: number };
}

interface Received {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

async function startCollector(t: TestContext) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    assert.equal(`${request.method} ${request.url}`, 'POST /v1/traces');
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      received.push(JSON.parse(body) as Received);
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const resources = () => received.flatMap(({ resourceSpans }) => resourceSpans);
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    resources,
    spans: () => resources().flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  };
}

const attribute = (of: Span['attributes'], name: string) => of.find(({ key }) => key === name)?.value.stringValue;

test('the program sends a trace of each session request, and what is left when it stops', async (t) => {
  const collector = await startCollector(t);
  const server = await startSimulationServer(t, 10);
  const program = await startProgram(t, { simulationServers: [server.address], tracing: { endpoint: collector.endpoint } });
  await eventually('a session', async () => (await program.get('/session')).startsWith('ws:'));
  await program.get('/session?url=http://example.org/x');
  assert.equal((await program.stop()).status, 0);
  const [{ resource } = assert.fail()] = collector.resources();
  assert.equal(attribute(resource.attributes, 'service.name'), 'session-server');
  const outcomes = collector.spans().map(({ attributes }) => attribute(attributes, 'session_server.outcome'));
  assert.ok(outcomes.includes('allocated'), String(outcomes));
  const refused = collector.spans().find(({ attributes }) => attribute(attributes, 'session_server.code') === 'project-scheme');
  assert.deepEqual([refused?.name, refused?.status.code], ['session request', 2]);
});

test('a request that waited has a span for its wait; a collector that is gone costs a line in the log', async (t) => {
  const collector = await startCollector(t);
  const decision = { id: 'r1', at: 1000.5, kind: 'allocated', code: 'allocated', reason: 'It had room.', waited: 20 } as const;
  const tracing = startTracing({ endpoint: collector.endpoint, version: '1.2.3', log: new MemoryLog() });
  tracing.decided({ ...decision, server: 'sim1:2000', others: [], omitted: 0 });
  await tracing.stop();
  const [request, wait] = ['session request', 'wait in line'].map((name) => collector.spans().find((span) => span.name === name));
  assert.ok(request !== undefined && wait !== undefined);
  assert.deepEqual([wait.traceId, wait.parentSpanId], [request.traceId, request.spanId]);
  for (const { startTimeUnixNano, endTimeUnixNano } of [request, wait])
    assert.deepEqual([startTimeUnixNano, endTimeUnixNano], ['980500000000', '1000500000000']);
  assert.equal(attribute(request.attributes, 'session_server.server'), 'sim1:2000');

  const log = new MemoryLog();
  const lost = startTracing({ endpoint: 'http://127.0.0.1:9/v1/traces', version: '1.2.3', log });
  lost.decided({ ...decision, others: [], omitted: 0 });
  await lost.stop();
  assert.match(JSON.stringify(log), /sending traces failed; check \\?"tracing\.endpoint/);
});
