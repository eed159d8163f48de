/** What one probe of a simulation server found. */
import type { Failure } from './fleet.ts';
import type { SessionReport } from './session-report.ts';

export type ProbeResult =
  | {
      readonly kind: 'sample';
      readonly load: number /* percent */;
      readonly latency: number /* seconds */;
      /** What the server reports about its sessions beside it. */
      readonly sessions?: SessionReport;
      /** Set when clients cannot connect to it: why, as a sentence about the server. */
      readonly loadOnly?: string;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };
