import assert from 'node:assert/strict';
import { parseEndpoint, type Endpoint } from '../../src/core/fleet/endpoint.ts';

export function endpointOf(address: string): Endpoint {
  const result = parseEndpoint(address);
  if (result.kind === 'invalid') assert.fail(`${address}: ${result.problem}`);
  return result.endpoint;
}
