/** What an event of one part means for the others: a sample, a missed probe, a change of state, a server that comes or goes, a decision. */
import type { Ledger } from '../core/allocation/ledger.ts';
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { ServerFacts, Transition } from '../core/fleet/fleet.ts';
import type { History } from '../core/history/history.ts';
import type { Timeline } from '../core/history/timeline.ts';
import type { Decision } from '../core/views/decision.ts';
import type { CountedSessions } from '../engine/counted-sessions.ts';
import type { Decisions } from '../engine/decisions.ts';
import type { Membership } from '../engine/membership.ts';
import type { Notifying } from '../engine/notifying.ts';
import type { OperatorActions } from '../engine/operator-actions.ts';
import type { Poller, PollerEvents } from '../engine/poller.ts';
import type { QueueService } from '../engine/queue-service.ts';
import type { Suspicions } from '../engine/suspicions.ts';
import type { Topic } from '../engine/topic.ts';
import { lackOfDescriptors } from '../http/server/descriptors.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Clock, Log } from '../ports.ts';

export interface EventTargets {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly ledger: Ledger;
  readonly counted: CountedSessions;
  readonly history: History;
  readonly timeline: Timeline;
  readonly decisions: Decisions;
  readonly notifying: Notifying;
  readonly suspicions: Suspicions;
  readonly membership: Membership;
  readonly operatorActions: OperatorActions;
  readonly queue: QueueService;
  readonly serverChanges: Topic<ServerFacts | undefined>;
  /** File descriptors that this process may open, as far as that is known. */
  readonly descriptors: number | undefined;
}

export interface FleetEvents extends PollerEvents {
  /** The fleet consists of these servers from now on. */
  fleetChanged(ids: readonly ServerId[]): void;
  /** The server left the fleet. */
  removed(id: ServerId): void;
}

export function createFleetEvents(targets: EventTargets): FleetEvents {
  const { clock, log, metrics, ledger, history, decisions, notifying, suspicions, membership, operatorActions, queue } = targets;
  return {
    sampled(id, load, at, latency, sessions) {
      ledger.report(id, load, at, at, sessions);
      targets.counted.reported(id, load, sessions);
      history.sampled(id, clock.wallTime(), load, ledger.booked(id));
      metrics.probed(latency);
      suspicions.look();
    },
    missed(id, at) {
      ledger.miss(id, at);
    },
    changed(facts, transition) {
      membership.route(facts);
      if (transition !== undefined) {
        notifying.observe(transition);
        metrics.transition(transition.to);
        logTransition(log, transition);
      }
      targets.serverChanges.publish(facts);
      recordState(targets, facts, transition);
      if (facts.drain === undefined) operatorActions.resumed(facts.endpoint.id);
      queue.refresh();
    },
    added: (facts) => {
      operatorActions.joined(facts.endpoint.id);
    },
    fleetChanged(ids) {
      const lack = lackOfDescriptors(targets.descriptors, ids.length);
      if (lack !== undefined) log.limited('warn', 'descriptors', lack);
      history.fleetIs(ids);
      targets.timeline.fleetIs(ids, clock.wallTime());
      queue.refresh();
    },
    removed(id) {
      notifying.removed(id);
      decisions.forget(id);
      targets.counted.removed(id);
    },
  };
}

/** An outage began with the first probe that failed, not with the one that confirmed it. */
function recordState({ timeline, clock }: EventTargets, facts: ServerFacts, transition: Transition | undefined): void {
  const { endpoint, drain, failedSince } = facts;
  const wall = clock.wallTime();
  timeline.observe(endpoint.id, 'drained', drain !== undefined, wall);
  if (transition === undefined) return;
  const isDown = transition.to === 'down';
  timeline.observe(endpoint.id, 'down', isDown, isDown && failedSince !== undefined ? wall - (clock.now() - failedSince) : wall);
}

export function recordDecision({ kind, server, at, waited }: Decision, metrics: Metrics, history: History): void {
  metrics.waited(waited, kind);
  if (kind === 'allocated' && server !== undefined) history.handedOut(server, at);
}

/** Ends incidents that nothing else would end: of servers that were removed while the program was stopped, or by rules that no longer apply. */
export function reconcileIncidents({ clock, poller, notifying }: { clock: Clock; poller: Poller; notifying: Notifying }): void {
  const at = clock.now();
  notifying.reconcile(
    [...poller.servers()].map((facts) => ({
      id: facts.endpoint.id,
      address: facts.endpoint.address,
      to: poller.state(facts),
      at,
      ...(facts.failures === 0 && facts.load !== undefined && { load: facts.load }),
    })),
  );
}

/**
 * The poller reports a single failed probe, and its end, once: a server that fails at every second probe must not fill the log. The kinds of transition are
 * counted separately, so that none of them suppresses another.
 */
function logTransition(log: Log, { address, id, from, to, load, failure, first }: Transition): void {
  const sentence = `${address} simulation server is ${to}${failure === undefined ? '' : `: ${failure.reason}`}`;
  const fields = { from, ...(load !== undefined && { load }) };
  const isBlip = to === 'unknown' || (from === 'unknown' && first !== true && to !== 'down');
  if (isBlip) log.debug(sentence, fields);
  else log.limited(to === 'down' || to === 'full' ? 'warn' : 'info', `${to} ${id}`, sentence, fields);
}
