/**
 * The discrete-event model: servers with true load, a poller that sees it late and noisily,
 * clients that arrive, wait, connect, load a server and leave. The policy under test only
 * sees what a real session server would see: reports, failed polls and requests.
 */
import { EventHeap } from './heap.mjs';
import { Rng } from './rng.mjs';
import { complete, generate } from './workload.mjs';

const ARRIVE = 0,
  POLL = 1,
  REPORT = 2,
  POLL_FAILED = 3,
  CONNECT = 4,
  APPEAR = 5,
  SETTLE = 6,
  LEAVE = 7,
  DRAIN = 8,
  SPIKE_ON = 9,
  SPIKE_OFF = 10,
  FAIL = 11,
  RECOVER = 12,
  SAMPLE = 13,
  ROUND = 14,
  PAUSE = 15;

const OVERLOAD = 95;
/** Seconds. A client that waits longer counts as unhappy. */
const LONG_WAIT = 60;
/** A session counts as overloaded after this many seconds on a server at 95 or more. */
const OVERLOADED_AFTER = 5;
/** Seconds. A client of a class that gets a place within this time was served at once. */
const AT_ONCE = 3;
/** Seconds. Clients warn five minutes before an announced end, so an end that is closer would come without a warning. */
const MIN_NOTICE = 360;

/**
 * @typedef {object} Policy
 * @property {string} name
 * @property {'sync'} [pollMode] polls all servers in one blocking round, as the original does
 * @property {(s: number, load: number, measuredAt: number, now: number) => void} onReport
 * @property {(s: number, now: number) => void} onPollFailed
 * @property {boolean} [reserves] it honours reservations: each class has its own queue, which is served before the public one
 * @property {(now: number, request: Request) => number | {server: number, endsAt: number}} pick
 *   server index, or -1 when there is no room; an announced end only when sessions are counted
 * @property {(s: number, now: number, request: Request) => void} onAssign
 * @property {(s: number, now: number, request: Request) => void} [onConnect] only when sessions are counted
 * @property {(s: number, now: number, request: Request) => void} [onLeave] only when sessions are counted
 * @property {(world: World) => void} [seeTruth] only the oracle
 *
 * @typedef {{id: number, project: string, address: string, code?: string}} Request
 * @typedef {{code: string, project: string, seats: number, start: number, end: number, grace: number}} Reservation
 *
 * @typedef {object} Context
 * @property {number} n number of servers
 * @property {Rng} rng
 * @property {number} interval seconds between two polls
 * @property {number} threshold percent
 * @property {boolean} counted
 * @property {number} sessionLength seconds
 * @property {Reservation[]} reservations
 *
 * @typedef {object} World the true state, for metrics and for the oracle
 * @property {number} n
 * @property {(s: number, client: import('./workload.mjs').Client) => number} committedWith
 *   load once all assigned sessions have started
 * @property {(s: number) => boolean} up
 * @property {(id: number) => import('./workload.mjs').Client} client
 */

/**
 * @param {any} scenario
 * @param {(ctx: Context) => Policy} makePolicy
 * @param {number} seed
 */
export function simulate(scenario, makePolicy, seed) {
  const sc = complete(scenario);
  const { servers, clients, spikes, failures } = generate(sc, seed);
  const n = servers.length;
  const noise = new Rng(seed, 'noise');
  const behaviour = new Rng(seed, 'behaviour');
  const policy = makePolicy({
    n,
    rng: new Rng(seed, 'policy'),
    interval: sc.poll.interval,
    threshold: sc.threshold,
    counted: sc.counted,
    sessionLength: sc.sessionLength,
    reservations: structuredClone(sc.reservations),
  });
  const q = new EventHeap();

  // True state of each server.
  const power = servers.map((s) => s.power);
  const background = servers.map((s) => s.background);
  const cpu = new Float64Array(n),
    gpu = new Float64Array(n); // running sessions
  const cpuAll = new Float64Array(n),
    gpuAll = new Float64Array(n); // ... and those still starting
  const level = new Float64Array(n),
    since = new Float64Array(n);
  const integral = new Float64Array(n),
    overloadTime = new Float64Array(n),
    peak = new Float64Array(n);
  const isUp = new Uint8Array(n).fill(1);
  /** change points of the last seconds, for the 5-second mean that /load reports */
  const trail = Array.from({ length: n }, () => /** @type {[number, number][]} */ ([[0, 0]]));
  const here = Array.from({ length: n }, () => new Set());

  const m = {
    clients: 0,
    unhappy: 0,
    sessions: 0,
    overloaded: 0,
    sessionTime: 0,
    sessionOverload: 0,
    placed: 0,
    worse: 0,
    overAdmitted: 0,
    waits: /** @type {number[]} */ ([]),
    gaveUp: 0,
    needlessWait: 0,
    refusedFirst: 0,
    refusedWrongly: 0,
    lost: 0,
    deadPlacements: 0,
    blackholed: 0,
    spread: 0,
    jain: 0,
    samples: 0,
    jainSamples: 0,
    utilWhenQueued: 0,
    utilSamples: 0,
    meanLoad: 0,
    requests: 0,
  };

  const truth = {
    n,
    power,
    committedWith(s, c) {
      return Math.max(background[s] + cpuAll[s] + (c ? c.cpu / power[s] : 0), gpuAll[s] + (c ? c.gpu / power[s] : 0));
    },
    up: (s) => isUp[s] === 1 && !servers[s].blackhole,
    client: (id) => clients[id],
  };
  policy.seeTruth?.(truth);

  function touch(s, t) {
    const dt = t - since[s];
    if (dt > 0) {
      integral[s] += Math.min(100, level[s]) * dt;
      if (level[s] >= OVERLOAD) overloadTime[s] += dt;
      since[s] = t;
    }
    const tr = trail[s];
    tr.push([t, integral[s]]);
    while (tr.length > 2 && tr[1][0] <= t - 5) tr.shift();
    level[s] = isUp[s] ? Math.max(background[s] + cpu[s], gpu[s]) : 0;
    if (t >= sc.measureFrom && level[s] > peak[s]) peak[s] = level[s];
  }

  /** mean true load over the five seconds before t */
  function window(s, t) {
    const now = integral[s] + Math.min(100, level[s]) * (t - since[s]);
    const tr = trail[s];
    const from = Math.max(0, t - 5);
    let i = 0;
    while (i + 1 < tr.length && tr[i + 1][0] <= from) i++;
    const [t0, v0] = tr[i];
    const [t1, v1] = i + 1 < tr.length ? tr[i + 1] : [t, now];
    const at = t1 > t0 ? v0 + ((v1 - v0) * (from - t0)) / (t1 - t0) : v0;
    return t > from ? (now - at) / (t - from) : level[s];
  }

  function poll(s, t) {
    if (isUp[s] === 0 || noise.chance(sc.poll.loss) || (level[s] > 100 && noise.chance(sc.lossWhenOver))) {
      q.push(t + sc.poll.timeout, POLL_FAILED, s);
      return false;
    }
    const x = servers[s].stuck ? servers[s].background : window(s, t);
    const seen = x + noise.normal() * (sc.noise.base + sc.noise.relative * x);
    q.push(t + noise.exp(sc.poll.lag), REPORT, s, [Math.min(100, Math.max(0, seen)), t]);
    return true;
  }

  // ---- clients -------------------------------------------------------------------------

  /**
   * @typedef {object} Ticket
   * @property {import('./workload.mjs').Client} c
   * @property {number} asked
   * @property {number} deadline
   * @property {number} server
   * @property {number} on
   * @property {number} state
   * @property {number} ov0
   * @property {number} t0
   * @property {any} req
   * @property {boolean} counted
   * @property {number} endsAt
   * @property {boolean} [paused]
   * @property {boolean} [unhappy]
   */
  /** @type {Ticket[]} */
  const queue = [];
  let head = 0;
  let draining = false;

  const group = () => ({
    clients: 0,
    atOnce: 0,
    sessions: 0,
    overloaded: 0,
    gaveUp: 0,
    cut: 0,
    waits: /** @type {number[]} */ ([]),
    gone: /** @type {number[]} */ ([]),
  });
  const groups = { class: group(), public: group() };
  const groupOf = (/** @type {any} */ c) => (c.code === undefined ? groups.public : groups.class);
  let busy = 0,
    busySamples = 0;
  const allPower = power.reduce((a, b) => a + b, 0);
  /** The queue of each class, ahead of the public one. Its members are the clients that come first, up to the number of seats. */
  const lines = (policy.reserves ? sc.reservations : [])
    .map((/** @type {Reservation} */ r) => ({ r, members: new Set(), queue: /** @type {Ticket[]} */ ([]) }))
    .sort((/** @type {any} */ a, /** @type {any} */ b) => a.r.start - b.r.start);

  /** @returns {any} the queue this client waits in; undefined: the public one */
  function lineOf(c, t) {
    if (c.code === undefined) return undefined;
    const line = lines.find((/** @type {any} */ x) => x.r.code === c.code && t < x.r.end);
    if (!line || (!line.members.has(c) && line.members.size >= line.r.seats)) return undefined;
    line.members.add(c);
    return line;
  }

  function choose(ticket, t) {
    const choice = policy.pick(t, ticket.req);
    ticket.endsAt = Infinity;
    if (typeof choice === 'number') return choice;
    if (!sc.counted) throw new Error(`${policy.name}: an end can only be announced with --counted`);
    if (ticket.c.code !== undefined) throw new Error(`${policy.name}: a class is never ended`);
    if (!(choice.endsAt >= t + MIN_NOTICE))
      throw new Error(`${policy.name}: an announced end must be ${MIN_NOTICE} s away, not ${choice.endsAt - t}`);
    ticket.endsAt = choice.endsAt;
    return choice.server;
  }

  function giveUp(ticket, t) {
    if (ticket.counted) {
      m.gaveUp++;
      const g = groupOf(ticket.c);
      g.gaveUp++;
      g.gone.push(Math.min(t, ticket.deadline) - ticket.asked);
    }
    for (const line of lines) line.members.delete(ticket.c);
    unhappy(ticket);
  }

  const unhappy = (/** @type {Ticket} */ k) => {
    if (k.counted && !k.unhappy) {
      k.unhappy = true;
      m.unhappy++;
    }
  };

  const roomFor = (/** @type {any} */ c) => {
    for (let s = 0; s < n; s++) if (truth.up(s) && truth.committedWith(s, c) < OVERLOAD) return true;
    return false;
  };

  function ask(c, t, tk) {
    const first = !tk;
    const ticket = tk ?? {
      c,
      asked: t,
      deadline: t + c.patience,
      server: -1,
      on: 0,
      state: 0,
      ov0: 0,
      t0: 0,
      req: { id: c.id, project: c.project, address: c.address, ...(c.code === undefined ? {} : { code: c.code }) },
      counted: t >= sc.measureFrom && !c.noShow,
      endsAt: Infinity,
    };
    if (first) {
      m.requests++;
      if (ticket.counted) {
        m.clients++;
        groupOf(c).clients++;
      }
    }
    const line = lineOf(c, t);
    if (line) {
      const s = line.queue.length > 0 ? -1 : choose(ticket, t);
      if (s >= 0) assign(ticket, s, t);
      else {
        noteRefusal(ticket);
        line.queue.push(ticket);
        startDraining(t);
      }
      return;
    }
    if (sc.queue !== 'retry') {
      if (queue.length > head) {
        noteRefusal(ticket);
        enqueue(ticket, t);
        return;
      }
      const s = choose(ticket, t);
      if (s >= 0) assign(ticket, s, t);
      else {
        noteRefusal(ticket);
        enqueue(ticket, t);
      }
    } else {
      const s = choose(ticket, t);
      if (s >= 0) {
        assign(ticket, s, t);
        return;
      }
      if (first) noteRefusal(ticket);
      const again = t + behaviour.uniform(5, 15);
      if (again > ticket.deadline) giveUp(ticket, t);
      else q.push(again, ARRIVE, c, ticket);
    }
  }

  function noteRefusal(ticket) {
    if (!ticket.counted) return;
    m.refusedFirst++;
    if (roomFor(ticket.c)) m.refusedWrongly++;
  }

  function enqueue(ticket, t) {
    queue.push(ticket);
    startDraining(t);
  }

  function startDraining(t) {
    if (!draining) {
      draining = true;
      q.push(t + 1, DRAIN, 0);
    }
  }

  function drain(t) {
    let full = 0,
      up = 0;
    for (const { queue: ahead } of lines) {
      while (ahead.length > 0) {
        if (ahead[0].deadline < t) {
          giveUp(ahead.shift(), t);
          continue;
        }
        const s = choose(ahead[0], t);
        if (s < 0) break;
        assign(ahead.shift(), s, t);
      }
    }
    while (head < queue.length) {
      const ticket = queue[head];
      if (ticket.deadline < t) {
        head++;
        giveUp(ticket, t);
        continue;
      }
      const s = choose(ticket, t);
      if (s < 0) {
        if (sc.queue === 'bypass' && t - ticket.asked < sc.bypass) backfill(t);
        if (ticket.counted) {
          if (roomFor(ticket.c)) m.needlessWait += queue.length - head;
          for (let j = 0; j < n; j++)
            if (isUp[j]) {
              full += Math.min(100, truth.committedWith(j, null));
              up++;
            }
          if (up) {
            m.utilWhenQueued += full / up;
            m.utilSamples++;
          }
        }
        break;
      }
      head++;
      assign(ticket, s, t);
    }
    if (head > 4096) {
      queue.splice(0, head);
      head = 0;
    }
    draining = queue.length > head || lines.some((/** @type {any} */ x) => x.queue.length > 0);
    if (draining) q.push(t + 1, DRAIN, 0);
  }

  /** Clients behind a head that fits nowhere may go first, as long as the head has not waited long. */
  function backfill(t) {
    for (let i = head + 1, seen = 0; i < queue.length && seen < 20; seen++) {
      const ticket = queue[i];
      const s = ticket.deadline < t ? -1 : choose(ticket, t);
      if (s < 0) {
        i++;
        continue;
      }
      queue.splice(i, 1);
      assign(ticket, s, t);
    }
  }

  function assign(ticket, s, t) {
    const c = ticket.c;
    policy.onAssign(s, t, ticket.req);
    if (ticket.counted) {
      m.placed++;
      m.waits.push(t - ticket.asked);
      const g = groupOf(c);
      g.waits.push(t - ticket.asked);
      if (ticket.on === 0 && t - ticket.asked <= AT_ONCE) g.atOnce++;
      if (t - ticket.asked > LONG_WAIT) unhappy(ticket);
      if (isUp[s] && truth.committedWith(s, c) >= OVERLOAD) {
        if (roomFor(c)) m.worse++;
        else m.overAdmitted++;
      }
    }
    ticket.server = s;
    ticket.on++;
    ticket.state = 1;
    if (c.noShow) return;
    q.push(t + c.connect, CONNECT, ticket, ticket.on);
    if (!c.abandons) {
      cpuAll[s] += c.cpu / power[s];
      gpuAll[s] += c.gpu / power[s];
    }
  }

  function uncommit(ticket) {
    const { c, server: s } = ticket;
    if (!c.abandons) {
      cpuAll[s] -= c.cpu / power[s];
      gpuAll[s] -= c.gpu / power[s];
    }
  }

  function tryAgain(ticket, t) {
    ticket.on++;
    ticket.state = 0;
    ticket.asked = t + 3;
    ticket.deadline = ticket.asked + ticket.c.patience;
    q.push(ticket.asked, ARRIVE, ticket.c, ticket);
  }

  function connect(ticket, t) {
    const { c, server: s } = ticket;
    if (isUp[s] === 0) {
      uncommit(ticket);
      if (ticket.counted) m.deadPlacements++;
      unhappy(ticket);
      tryAgain(ticket, t + behaviour.uniform(2, 8));
      return;
    }
    touch(s, t);
    ticket.state = 2;
    ticket.paused = false;
    ticket.t0 = t;
    ticket.ov0 = overloadTime[s];
    here[s].add(ticket);
    if (sc.counted) policy.onConnect?.(s, t, ticket.req);
    if (servers[s].blackhole) {
      q.push(t + 10, LEAVE, ticket, ticket.on);
      return;
    }
    q.push(t + c.delay, APPEAR, ticket, ticket.on);
    q.push(Math.max(t, Math.min(t + c.duration, ticket.endsAt)), LEAVE, ticket, ticket.on);
  }

  function add(ticket, t, factor) {
    const { c, server: s } = ticket;
    cpu[s] += (factor * c.cpu) / power[s];
    gpu[s] += (factor * c.gpu) / power[s];
    touch(s, t);
  }

  function close(ticket, t) {
    const { c, server: s } = ticket;
    touch(s, t);
    here[s].delete(ticket);
    if (ticket.state === 3) add(ticket, t, -c.startup);
    if (ticket.state === 4) add(ticket, t, ticket.paused ? -sc.pausing.left : -1);
    uncommit(ticket);
    if (ticket.counted) {
      const ov = overloadTime[s] - ticket.ov0;
      m.sessions++;
      const g = groupOf(c);
      g.sessions++;
      if (ov >= OVERLOADED_AFTER) g.overloaded++;
      if (t >= ticket.endsAt && t < ticket.t0 + c.duration) g.cut++;
      m.sessionTime += t - ticket.t0;
      m.sessionOverload += ov;
      if (ov >= OVERLOADED_AFTER) {
        m.overloaded++;
        unhappy(ticket);
      }
    }
    ticket.state = 5;
  }

  // ---- run -----------------------------------------------------------------------------

  for (const c of clients) q.push(c.arrival, ARRIVE, c);
  for (const s of spikes) {
    q.push(s.at, SPIKE_ON, s);
  }
  for (const f of failures) q.push(f.at, FAIL, f);
  if (policy.pollMode === 'sync') q.push(noise.uniform(0, sc.poll.interval), ROUND, 0);
  else for (let s = 0; s < n; s++) q.push(noise.uniform(0, sc.poll.interval), POLL, s);
  for (let t = Math.max(5, sc.measureFrom); t < sc.horizon; t += 5) q.push(t, SAMPLE, 0);
  for (let s = 0; s < n; s++) touch(s, 0);

  while (q.size > 0) {
    const e = q.pop();
    const t = e.t;
    if (t > sc.horizon) break;
    switch (e.kind) {
      case ARRIVE:
        ask(e.a, t, e.b);
        break;
      case POLL: {
        poll(e.a, t);
        q.push(t + sc.poll.interval * (1 + sc.poll.jitter * noise.uniform(-1, 1)), POLL, e.a);
        break;
      }
      case ROUND: {
        let all = true;
        for (let s = 0; s < n; s++) all = poll(s, t) && all;
        q.push(t + sc.poll.interval + (all ? 0 : sc.poll.timeout), ROUND, 0);
        break;
      }
      case REPORT:
        policy.onReport(e.a, e.b[0], e.b[1], t);
        break;
      case POLL_FAILED:
        policy.onPollFailed(e.a, t);
        break;
      case CONNECT:
        if (e.a.on === e.b && e.a.state === 1) connect(e.a, t);
        break;
      case APPEAR:
        if (e.a.on === e.b && e.a.state === 2) {
          const c = e.a.c;
          c.pauses.forEach((/** @type {number} */ dt, /** @type {number} */ i) =>
            q.push(t + c.startupTime + dt, PAUSE, [e.a, i % 2 === 0], e.a.on),
          );
          if (c.startup === 1) {
            e.a.state = 4;
            add(e.a, t, 1);
          } else {
            e.a.state = 3;
            add(e.a, t, c.startup);
            q.push(t + c.startupTime, SETTLE, e.a, e.a.on);
          }
        }
        break;
      case SETTLE:
        if (e.a.on === e.b && e.a.state === 3) {
          e.a.state = 4;
          add(e.a, t, 1 - e.a.c.startup);
        }
        break;
      case PAUSE: {
        const [ticket, off] = e.a;
        if (ticket.on === e.b && ticket.state === 4 && ticket.paused !== off) {
          ticket.paused = off;
          add(ticket, t, (off ? -1 : 1) * (1 - sc.pausing.left));
        }
        break;
      }
      case LEAVE:
        if (e.a.on === e.b && e.a.state >= 2 && e.a.state <= 4) {
          if (sc.counted) policy.onLeave?.(e.a.server, t, e.a.req);
          if (servers[e.a.server].blackhole) {
            here[e.a.server].delete(e.a);
            uncommit(e.a);
            if (e.a.counted) m.blackholed++;
            unhappy(e.a);
            tryAgain(e.a, t);
          } else {
            close(e.a, t);
            if (sc.counted) for (const line of lines) line.members.delete(e.a.c);
          }
        }
        break;
      case DRAIN:
        drain(t);
        break;
      case SPIKE_ON:
        background[e.a.server] += e.a.size;
        touch(e.a.server, t);
        q.push(t + e.a.length, SPIKE_OFF, e.a);
        break;
      case SPIKE_OFF:
        background[e.a.server] -= e.a.size;
        touch(e.a.server, t);
        break;
      case FAIL: {
        const s = e.a.server;
        for (const ticket of [...here[s]]) {
          if (ticket.counted) m.lost++;
          const keep = ticket.counted;
          close(ticket, t);
          ticket.counted = keep;
          tryAgain(ticket, t + behaviour.uniform(0, 10));
        }
        isUp[s] = 0;
        cpu[s] = 0;
        gpu[s] = 0;
        touch(s, t);
        q.push(t + e.a.down, RECOVER, e.a);
        break;
      }
      case RECOVER:
        isUp[e.a.server] = 1;
        touch(e.a.server, t);
        break;
      case SAMPLE:
        sample();
        break;
    }
  }
  for (let s = 0; s < n; s++) for (const ticket of [...here[s]]) close(ticket, sc.horizon);
  for (const ticket of [...queue.slice(head), ...lines.flatMap((/** @type {any} */ x) => x.queue)])
    if (ticket.counted && ticket.deadline < sc.horizon) giveUp(ticket, sc.horizon);

  function sample() {
    for (let s = 0; s < n; s++) if (isUp[s]) busy += (Math.min(100, truth.committedWith(s, null)) * power[s]) / allPower;
    busySamples++;
    let sum = 0,
      sq = 0,
      max = 0,
      k = 0;
    for (let s = 0; s < n; s++) {
      if (!isUp[s] || servers[s].blackhole) continue;
      const x = level[s];
      sum += x;
      sq += x * x;
      k++;
      if (x > max) max = x;
    }
    if (k === 0) return;
    const mean = sum / k;
    m.meanLoad += mean;
    m.spread += max - mean;
    m.samples++;
    if (mean > 15) {
      m.jain += (sum * sum) / (k * sq);
      m.jainSamples++;
    }
  }

  m.waits.sort((a, b) => a - b);
  const pct = (/** @type {number} */ p) =>
    m.waits.length ? m.waits[Math.min(m.waits.length - 1, Math.floor(p * m.waits.length))] : 0;
  let maxPeak = 0,
    ovServer = 0;
  for (let s = 0; s < n; s++) {
    maxPeak = Math.max(maxPeak, peak[s]);
    ovServer += overloadTime[s];
  }
  return {
    requests: m.requests,
    sessions: m.sessions,
    /** share of clients that were overloaded, gave up, waited over a minute or were sent to a dead server or a black hole */
    unhappy: ratio(m.unhappy, m.clients),
    /** share of sessions that spent 5 s or more on a server at 95 or more */
    overloaded: ratio(m.overloaded, m.sessions),
    /** share of all session time spent on a server at 95 or more */
    overloadTime: ratio(m.sessionOverload, m.sessionTime),
    overloadServerSeconds: ovServer,
    peak: maxPeak,
    spread: ratio(m.spread, m.samples),
    jain: ratio(m.jain, m.jainSamples, 1),
    meanLoad: ratio(m.meanLoad, m.samples),
    wait50: pct(0.5),
    wait99: pct(0.99),
    gaveUp: ratio(m.gaveUp, m.placed + m.gaveUp),
    refused: ratio(m.refusedFirst, m.placed + m.gaveUp),
    refusedWrongly: ratio(m.refusedWrongly, m.placed + m.gaveUp),
    needlessWait: ratio(m.needlessWait, m.placed + m.gaveUp),
    utilWhenQueued: ratio(m.utilWhenQueued, m.utilSamples, NaN),
    misplaced: ratio(m.worse, m.placed),
    overAdmitted: ratio(m.overAdmitted, m.placed),
    deadPlacements: m.deadPlacements,
    blackholed: m.blackholed,
    lost: m.lost,
    ...(sc.reservations.length > 0 ? classFigures(groups, ratio(busy, busySamples)) : {}),
  };
}

/** The metrics of a scenario with reservations. @param {Record<'class' | 'public', any>} groups @param {number} busy */
function classFigures({ class: c, public: p }, busy) {
  const waits = [...c.waits, ...c.gone].sort((a, b) => a - b);
  return {
    /** share of the class that got a place within 3 s; NaN when no client of the class came */
    classAtOnce: ratio(c.atOnce, c.clients, NaN),
    /** seconds; a client that gave up counts with the time until then */
    classWait95: waits.length ? waits[Math.min(waits.length - 1, Math.floor(0.95 * waits.length))] : NaN,
    /** seconds; the same of the last client */
    classWaitLast: waits.at(-1) ?? NaN,
    classOverloaded: ratio(c.overloaded, c.sessions, NaN),
    classGaveUp: ratio(c.gaveUp, c.clients, NaN),
    publicGaveUp: ratio(p.gaveUp, p.clients),
    /** seconds, of the clients that got a place */
    publicWait: p.waits.length
      ? p.waits.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0) / p.waits.length
      : 0,
    publicOverloaded: ratio(p.overloaded, p.sessions),
    /** share of the public's sessions that ended at an announced end */
    publicCut: ratio(p.cut, p.sessions),
    /** committed load of the fleet, weighted by power, percent */
    busy,
  };
}

function ratio(a, b, none = 0) {
  return b > 0 ? a / b : none;
}
