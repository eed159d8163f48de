/**
 * OpenTelemetry: a trace of each session request, sent by OTLP over HTTP. The span *session request* lasts from the request to its decision, and contains
 * *wait in line* if the client waited. Loaded only if `tracing.endpoint` is set. The SDK reads its own variables, such as `OTEL_EXPORTER_OTLP_HEADERS`.
 */
import { context, diag, DiagLogLevel, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Decision } from '../core/views/decision.ts';
import type { Log } from '../ports.ts';

export interface Tracing {
  readonly decided: (decision: Decision) => void;
  /** Sends what is left, for at most a second. */
  stop(): Promise<void>;
}

export interface TracingOptions {
  readonly endpoint: string;
  readonly version: string;
  readonly log: Log;
}

/** Milliseconds. The program has to stop within two seconds. */
const EXPORT_TIMEOUT = 1000;

export function startTracing({ endpoint, version, log }: TracingOptions): Tracing {
  reportFailures(log);
  const exporter = new OTLPTraceExporter({ url: endpoint, timeoutMillis: EXPORT_TIMEOUT });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'session-server', 'service.version': version }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('session-server', version);
  return {
    decided(decision) {
      const { at, waited, kind } = decision;
      const [startTime, endTime] = [(at - waited) * 1000, at * 1000];
      const span = tracer.startSpan('session request', { kind: SpanKind.SERVER, startTime, attributes: attributesOf(decision) });
      if (waited > 0) tracer.startSpan('wait in line', { startTime }, trace.setSpan(context.active(), span)).end(endTime);
      if (kind === 'refused') span.setStatus({ code: SpanStatusCode.ERROR, message: decision.reason });
      span.end(endTime);
    },
    stop: () => provider.shutdown().catch(() => undefined),
  };
}

function attributesOf({ id, kind, code, reason, project, server, waited }: Decision) {
  return {
    'session_server.request.id': id,
    'session_server.outcome': kind,
    'session_server.code': code,
    'session_server.reason': reason,
    'session_server.waited': waited,
    ...(project !== undefined && { 'session_server.project': project }),
    ...(server !== undefined && { 'session_server.server': server }),
  };
}

/** The SDK says only here that a collector cannot be reached. */
function reportFailures(log: Log): void {
  const report = (message: string) => {
    log.limited('warn', 'tracing', `sending traces failed; check "tracing.endpoint": ${message.slice(0, 200)}`);
  };
  const ignore = () => undefined;
  diag.setLogger({ error: report, warn: report, info: ignore, debug: ignore, verbose: ignore }, DiagLogLevel.WARN);
}
