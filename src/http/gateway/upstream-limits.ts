/**
 * Limits of Node's HTTP client that would apply to simulation servers without being configured. Each is set on purpose:
 * what decides is the size in bytes (`gateway.limits.headerBytes`) and the time, and exceeding them is reported.
 */
import type { ClientRequest } from 'node:http';

/** Maximum seconds for each address of a name but the last. Node's 0.25 s is less than a slow network needs to connect. */
const MAX_ATTEMPT = 1;

/** Options of a request; `headerBytes` is the maximum size of the response headers. */
export function parsing(headerBytes: number) {
  // Not even `node --insecure-http-parser` makes the gateway lenient: what it accepts, browsers must read in the same way.
  return { maxHeaderSize: headerBytes, insecureHTTPParser: false } as const;
}

/** Options of a connection that has `connectTimeout` seconds: half of them are left for the next address. */
export function connecting(connectTimeout: number) {
  return {
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: Math.min(MAX_ATTEMPT, connectTimeout / 2) * 1000,
  } as const;
}

/** Node drops all headers after the first 1,000 without an error, among them those that frame the message. */
export function countAllHeaders(request: ClientRequest): void {
  request.maxHeadersCount = 0;
}
