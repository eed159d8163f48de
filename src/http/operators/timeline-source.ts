/** Uptime and marks for the routes: with the names of servers, and computed seldom. */
import type { ServerId } from '../../core/fleet/endpoint.ts';
import type { Timeline } from '../../core/history/timeline.ts';
import type { ServerUptimeView } from '../../core/views/monitor-view.ts';
import type { Poller } from '../../engine/poller.ts';
import type { Clock } from '../../ports.ts';
import type { MonitorSource } from './monitor-source.ts';

export interface TimelineSourceOptions {
  readonly clock: Pick<Clock, 'now' | 'wallTime'>;
  readonly poller: Pick<Poller, 'servers' | 'facts'>;
  readonly timeline: Timeline;
}

type Uptimes = Readonly<Record<ServerId, ServerUptimeView>>;

/** Seconds for which the uptime of all servers is reused: it changes slowly, and is a walk over the fleet. */
const REUSED = 10;

export function timelineSource({ clock, poller, timeline }: TimelineSourceOptions): Pick<MonitorSource, 'marks' | 'uptime'> {
  let last: { readonly at: number; readonly value: Uptimes } | undefined;
  return {
    marks: (server, from, to) =>
      timeline.marks(server, from, to).map((mark) => {
        const address = poller.facts(mark.serverId)?.endpoint.address;
        return { ...mark, server: address ?? mark.serverId };
      }),
    uptime() {
      const now = clock.now();
      if (last === undefined || now - last.at >= REUSED) last = { at: now, value: uptimes(poller, timeline, clock.wallTime()) };
      return last.value;
    },
  };
}

function uptimes(poller: Pick<Poller, 'servers'>, timeline: Timeline, wallTime: number): Uptimes {
  const found: Record<ServerId, ServerUptimeView> = {};
  for (const { endpoint } of poller.servers()) {
    const uptime = timeline.uptime(endpoint.id, wallTime);
    if (uptime !== undefined) found[endpoint.id] = uptime;
  }
  return found;
}
