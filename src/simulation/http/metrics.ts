/** `/metrics`, in the text format of Prometheus. Labels are words of ours. */

export interface SimulationMetrics {
  readonly sessions: Readonly<Record<'starting' | 'running' | 'idle' | 'begun', number>>;
  readonly ended: ReadonlyMap<string, number>;
  readonly load: number | undefined;
  readonly points: number;
  readonly pending: number;
  readonly leftovers: number;
  readonly cache: { readonly fetches: number; readonly hits: number; readonly stale: number };
  readonly streamBytes: number;
  readonly isolation: string;
}

export function metricsText(metrics: SimulationMetrics): string {
  const { sessions, ended, load, points, pending, leftovers, cache, streamBytes, isolation } = metrics;
  const { begun, ...present } = sessions;
  return [
    ...metric('sessions', 'gauge', 'Sessions by state.', labelled('state', Object.entries(present))),
    ...metric('sessions_begun_total', 'counter', 'Sessions that began.', [['', begun]]),
    ...metric('sessions_ended_total', 'counter', 'Sessions that ended, by reason.', labelled('reason', [...ended])),
    ...(load === undefined ? [] : metric('load_percent', 'gauge', 'Load as reported at /load.', [['', load]])),
    ...metric('session_load_points', 'gauge', 'Load points that all sessions cost.', [['', points]]),
    ...metric('session_pending_points', 'gauge', 'Load points that starting sessions will probably add.', [['', pending]]),
    ...metric('leftovers_total', 'counter', 'Leftovers of sessions found while running; should stay 0.', [['', leftovers]]),
    ...metric(
      'projects_total',
      'counter',
      'Requested projects, by where they came from.',
      labelled('from', Object.entries(cache)),
    ),
    ...metric('stream_bytes', 'gauge', 'Bytes relayed by the streams of current sessions.', [['', streamBytes]]),
    ...metric('isolation_info', 'gauge', 'The isolation that is used.', [[`{name="${isolation}"}`, 1]]),
    '',
  ].join('\n');
}

type Sample = readonly [labels: string, value: number];

function metric(name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]): string[] {
  const full = `simulation_server_${name}`;
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...samples.map(([labels, value]) => `${full}${labels} ${value}`)];
}

function labelled(label: string, entries: readonly (readonly [string, number])[]): readonly Sample[] {
  return entries.map(([name, value]) => [`{${label}="${name}"}`, value]);
}
