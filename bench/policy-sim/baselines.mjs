/**
 * The policies to compare against. Each of them sees only reports, failed polls and requests.
 * The interface is `Policy` in engine.mjs.
 */

const DOWN = 1000;

/** The state every baseline has: the last report of each server. */
class Table {
  constructor(ctx) {
    this.n = ctx.n;
    this.rng = ctx.rng;
    this.threshold = ctx.threshold;
    this.interval = ctx.interval;
    this.load = new Float64Array(ctx.n);
    this.seen = new Float64Array(ctx.n);
    this.failed = new Uint8Array(ctx.n);
  }
  onReport(s, load, measuredAt) {
    this.load[s] = load;
    this.seen[s] = measuredAt;
    this.failed[s] = 0;
  }
  onPollFailed(s) {
    if (++this.failed[s] >= 2) this.load[s] = DOWN;
  }
  onAssign() {}
  open(s) {
    return this.load[s] < this.threshold;
  }
}

/** The original: smallest reported load, first server on ties, one failed poll removes a server. */
export class Original extends Table {
  name = 'original';
  pollMode = /** @type {'sync'} */ ('sync');
  onPollFailed(s) {
    this.load[s] = DOWN;
  }
  pick() {
    let best = -1,
      min = this.threshold;
    for (let s = 0; s < this.n; s++)
      if (this.load[s] < min) {
        min = this.load[s];
        best = s;
      }
    return best;
  }
}

export class Random extends Table {
  name = 'random';
  pick() {
    let k = 0,
      best = -1;
    for (let s = 0; s < this.n; s++) if (this.open(s) && this.rng.int(++k) === 0) best = s;
    return best;
  }
}

export class RoundRobin extends Table {
  name = 'round-robin';
  next = 0;
  pick() {
    for (let i = 0; i < this.n; i++) {
      const s = (this.next + i) % this.n;
      if (this.open(s)) {
        this.next = s + 1;
        return s;
      }
    }
    return -1;
  }
}

/** Power of two choices on the reported load. */
export class TwoChoices extends Table {
  name = 'p2c';
  pick() {
    const open = [];
    for (let s = 0; s < this.n; s++) if (this.open(s)) open.push(s);
    if (open.length === 0) return -1;
    const a = open[this.rng.int(open.length)];
    let b = open[this.rng.int(open.length)];
    if (open.length > 1) while (b === a) b = open[this.rng.int(open.length)];
    return this.load[a] <= this.load[b] ? a : b;
  }
}

/** Fewest assignments in the last minute, then the smallest reported load. */
export class LeastPending extends Table {
  name = 'least-pending';
  constructor(ctx) {
    super(ctx);
    this.recent = Array.from({ length: ctx.n }, () => /** @type {number[]} */ ([]));
  }
  onAssign(s, now) {
    this.recent[s].push(now);
  }
  pending(s, now) {
    const r = this.recent[s];
    while (r.length && r[0] < now - 60) r.shift();
    return r.length;
  }
  pick(now) {
    let best = -1,
      bp = Infinity,
      bl = Infinity;
    for (let s = 0; s < this.n; s++) {
      if (!this.open(s)) continue;
      const p = this.pending(s, now);
      if (p < bp || (p === bp && this.load[s] < bl)) {
        best = s;
        bp = p;
        bl = this.load[s];
      }
    }
    return best;
  }
}

/**
 * Dahlin's basic Load Interpretation: fill the fleet like water with the load that is
 * expected during one information horizon and pick at random in proportion to each server's share.
 */
export class LoadInterpretation extends Table {
  name = 'dahlin-li';
  constructor(ctx) {
    super(ctx);
    this.horizon = ctx.interval + 25;
    this.cost = 8;
    this.times = /** @type {number[]} */ ([]);
    this.level = 0;
    this.levelAt = -Infinity;
  }
  onAssign(s, now) {
    this.times.push(now);
  }

  /** Refills the fleet at most once a second: sorting 1,000 loads for every request would be slow. */
  fill(now) {
    while (this.times.length && this.times[0] < now - this.horizon) this.times.shift();
    const water = Math.max(1, this.times.length + 1) * this.cost;
    const loads = [];
    for (let s = 0; s < this.n; s++) if (this.open(s)) loads.push(this.load[s]);
    loads.sort((a, b) => a - b);
    let sum = 0;
    for (let k = 0; k < loads.length; k++) {
      sum += loads[k];
      this.level = (sum + water) / (k + 1);
      if (k + 1 === loads.length || this.level <= loads[k + 1]) break;
    }
    this.levelAt = now;
  }

  pick(now) {
    if (now - this.levelAt >= 1) this.fill(now);
    const { level } = this;
    let water = 0;
    for (let s = 0; s < this.n; s++) if (this.open(s) && this.load[s] < level) water += level - this.load[s];
    if (water === 0) return this.random();
    let u = this.rng.next() * water,
      last = -1;
    for (let s = 0; s < this.n; s++) {
      if (!this.open(s) || this.load[s] >= level) continue;
      last = s;
      u -= level - this.load[s];
      if (u <= 0) break;
    }
    return last;
  }
  random() {
    let k = 0,
      best = -1;
    for (let s = 0; s < this.n; s++) if (this.open(s) && this.rng.int(++k) === 0) best = s;
    return best;
  }
}

/**
 * Prequal's hot/cold lexicographic rule: among d sampled servers the "cold" one with the smallest load,
 * or, when all are hot, the one with the fewest sessions in flight. In flight = assigned in the last minute.
 */
export class HotCold extends LeastPending {
  name = 'prequal-hcl';
  pick(now) {
    const open = [];
    for (let s = 0; s < this.n; s++) if (this.open(s)) open.push(s);
    if (open.length === 0) return -1;
    const d = Math.min(open.length, 5);
    for (let i = 0; i < d; i++) {
      const k = i + this.rng.int(open.length - i);
      [open[i], open[k]] = [open[k], open[i]];
    }
    const sample = open.slice(0, d).map((s) => ({ s, rif: this.pending(s, now), load: this.load[s] }));
    const rifs = sample.map((x) => x.rif).sort((a, b) => a - b);
    const hot = rifs[Math.min(d - 1, Math.floor(0.84 * d))];
    const cold = sample.filter((x) => x.rif < hot || hot === rifs[0]);
    const pool = cold.length ? cold : sample;
    pool.sort(cold.length && hot !== rifs[0] ? (a, b) => a.load - b.load : (a, b) => a.rif - b.rif || a.load - b.load);
    return pool[0].s;
  }
}

/** Random in proportion to the reported headroom (LiveKit pull request 4454). */
export class WeightedRandom extends Table {
  name = 'weighted';
  pick() {
    let sum = 0;
    for (let s = 0; s < this.n; s++) if (this.open(s)) sum += this.threshold - this.load[s];
    let u = this.rng.next() * sum,
      last = -1;
    for (let s = 0; s < this.n; s++) {
      if (!this.open(s)) continue;
      last = s;
      u -= this.threshold - this.load[s];
      if (u <= 0) break;
    }
    return last;
  }
}

/** Jicofo's correctedStress: reported load plus a fixed cost for every recent assignment, dropped after a fixed time. */
export class FixedReservation extends LeastPending {
  constructor(ctx, cost = 8, ttl = 60) {
    super(ctx);
    this.name = `reserve-${cost}`;
    this.cost = cost;
    this.ttl = ttl;
  }
  pending(s, now) {
    const r = this.recent[s];
    while (r.length && r[0] < now - this.ttl) r.shift();
    return r.length;
  }
  pick(now) {
    let best = -1,
      min = this.threshold;
    for (let s = 0; s < this.n; s++) {
      const x = this.load[s] + (this.pending(s, now) + 1) * this.cost;
      if (x < min) {
        min = x;
        best = s;
      }
    }
    return best;
  }
}

/** Knows the true cost of every assigned session. It is greedy and cannot see the future. */
export class Oracle {
  name = 'oracle';
  constructor(ctx) {
    this.threshold = ctx.threshold;
  }
  seeTruth(world) {
    this.world = world;
  }
  onReport() {}
  onPollFailed() {}
  onAssign() {}
  pick(now, request) {
    const w = this.world;
    const c = w.client(request.id);
    let best = -1,
      min = this.threshold;
    for (let s = 0; s < w.n; s++) {
      if (!w.up(s)) continue;
      const x = w.committedWith(s, c);
      if (x < min) {
        min = x;
        best = s;
      }
    }
    return best;
  }
}

// ---- classes -----------------------------------------------------------------------------

/**
 * A plain allocator that reservations can be added to. It takes the highest report of the last 15 s and adds 8 points for
 * every assignment the reports do not show yet. The lowest sum wins, and it must stay below 90. Nothing is learned.
 * Without a wrapper it ignores reservations.
 */
export class Plain extends Table {
  name = 'none';
  target = 90;
  constructor(ctx) {
    super(ctx);
    this.seen.fill(-1);
    this.reports = Array.from({ length: ctx.n }, () => /** @type {[number, number][]} */ ([]));
    this.given = Array.from({ length: ctx.n }, () => /** @type {number[]} */ ([]));
  }
  onReport(s, load, measuredAt) {
    if (measuredAt < this.seen[s]) return;
    super.onReport(s, load, measuredAt);
    const r = this.reports[s];
    r.push([measuredAt, load]);
    while (r[0][0] <= measuredAt - 15) r.shift();
  }
  onPollFailed(s) {
    this.failed[s] = Math.min(255, this.failed[s] + 1);
  }
  onAssign(s, now) {
    this.given[s].push(now);
  }

  /** load points of one session of a project on a server */
  costOf() {
    return 8;
  }

  /** load to expect on a server, Infinity when it is closed */
  ceiling(s) {
    if (this.seen[s] < 0 || this.failed[s] >= 2 || this.load[s] >= this.threshold) return Infinity;
    const given = this.given[s];
    while (given.length && this.seen[s] - given[0] >= 60) given.shift();
    let x = this.failed[s] ? 10 : 0;
    for (const at of given) x += 8 * Math.min(1, (60 - (this.seen[s] - at)) / 50);
    let high = 0;
    for (const [, load] of this.reports[s]) high = Math.max(high, load);
    return x + high;
  }

  /** @param {Uint8Array} [allowed] only these servers */
  pick(now, request, allowed) {
    let best = -1,
      min = Infinity;
    for (let s = 0; s < this.n; s++) {
      if (allowed && !allowed[s]) continue;
      const top = this.ceiling(s);
      if (top + 8 >= this.target) continue;
      const x = top + 0.5 * this.rng.next();
      if (x < min) {
        min = x;
        best = s;
      }
    }
    return best;
  }
}

/** How many sessions of cost k fit into x points, the last of them below the target. */
export const seatsIn = (/** @type {number} */ x, /** @type {number} */ k) => Math.max(0, Math.ceil(x / k) - 1);

/** The state every policy with reservations has: which clients have a seat. It wraps an allocator such as Plain. */
export class Classes {
  name = 'classes';
  reserves = true;
  /** @param {any} ctx @param {any} inner */
  constructor(ctx, inner) {
    this.n = ctx.n;
    this.inner = inner;
    /** @type {import('./engine.mjs').Reservation[]} */
    this.reservations = [...ctx.reservations].sort((a, b) => a.start - b.start);
    /** @type {Map<string, Set<number>>} */
    this.taken = new Map(this.reservations.map((r) => [r.code, new Set()]));
  }
  onReport(s, load, at, now) {
    this.inner.onReport(s, load, at, now);
  }
  onPollFailed(s, now) {
    this.inner.onPollFailed(s, now);
  }
  onAssign(s, now, request) {
    if (this.seatOf(request, now)) this.taken.get(request.code)?.add(request.id);
    this.inner.onAssign(s, now, request);
  }

  /** @returns {import('./engine.mjs').Reservation | undefined} the reservation of which the client has, or may take, a seat */
  seatOf({ id, code }, now) {
    const r = code === undefined ? undefined : this.reservations.find((x) => x.code === code && now < x.end);
    const taken = r && this.taken.get(r.code);
    return taken && (taken.has(id) || taken.size < r.seats) ? r : undefined;
  }

  /**
   * Seats still held. Until `grace` after the start: all. Afterwards: none if no client of the class came, otherwise fewer and
   * fewer until another `grace` has passed.
   */
  outstanding(r, now) {
    const came = this.taken.get(r.code)?.size ?? 0;
    const left = Math.max(0, r.seats - came);
    if (now >= r.end) return 0;
    const late = now - r.start - r.grace;
    if (late <= 0) return left;
    return came === 0 ? 0 : Math.floor(left * Math.max(0, 1 - late / r.grace));
  }

  /**
   * The demand at the start of each reservation, together with the reservations that are active then, in seats of the heaviest
   * project.
   * @returns {{r: any, seats: number, project: string}[]}
   */
  demands(now) {
    const weight = (/** @type {string} */ p) => {
      let x = 0;
      for (let s = 0; s < this.n; s++) x += this.inner.costOf(s, p);
      return x;
    };
    return this.reservations
      .filter((r) => now < r.end)
      .map((r) => {
        const at = Math.max(now, r.start);
        const on = this.reservations.filter((x) => x.start <= at && x.end > at && this.outstanding(x, now) > 0);
        const heaviest = on.reduce(
          (a, x) => (a === undefined || weight(x.project) > weight(a.project) ? x : a),
          /** @type {any} */ (undefined),
        );
        const seats = on.reduce((sum, x) => sum + (this.outstanding(x, now) * weight(x.project)) / weight(heaviest.project), 0);
        return { r, seats, project: heaviest?.project ?? r.project };
      })
      .filter((d) => d.seats > 0);
  }

  /** Number of machines that hold these seats at 8 points each. At least one machine stays open to the public. */
  machines(on) {
    return Math.min(
      this.n - 1,
      on.reduce((sum, r) => sum + Math.ceil((r.seats * 8) / 85), 0),
    );
  }

  /** The first k servers, or all but those. */
  only(k, first) {
    return Uint8Array.from({ length: this.n }, (_, s) => (s < k === first ? 1 : 0));
  }
}

/** Machines set aside permanently. */
export class StaticClasses extends Classes {
  name = 'static';
  constructor(ctx, inner) {
    super(ctx, inner);
    this.k = Math.max(
      0,
      ...this.reservations.map((r) => this.machines(this.reservations.filter((x) => x.start <= r.start && x.end > r.start))),
    );
    this.apart = this.only(this.k, true);
    this.rest = this.only(this.k, false);
  }
  pick(now, request) {
    if (!this.seatOf(request, now)) return this.inner.pick(now, request, this.rest);
    const s = this.inner.pick(now, request, this.apart);
    return s >= 0 ? s : this.inner.pick(now, request, this.rest);
  }
}

/** The same machines, closed to the public from half an hour before the class until its end, as operators do by hand. */
export class CalendarClasses extends Classes {
  name = 'calendar';
  lead = 1800;
  pick(now, request) {
    const k = this.machines(this.reservations.filter((r) => now >= r.start - this.lead && now < r.end));
    if (k === 0) return this.inner.pick(now, request);
    if (!this.seatOf(request, now)) return this.inner.pick(now, request, this.only(k, false));
    const s = this.inner.pick(now, request, this.only(k, true));
    return s >= 0 ? s : this.inner.pick(now, request, this.only(k, false));
  }
}

/** Seats held on any server from half an hour before the class: the public may not take what the class still needs. */
export class FixedLead extends Classes {
  name = 'fixed30';
  lead = 1800;
  pick(now, request) {
    if (this.seatOf(request, now)) return this.inner.pick(now, request);
    const ok = new Uint8Array(this.n).fill(1);
    for (const d of this.demands(now)) {
      if (d.r.start - now > this.lead) continue;
      const room = [];
      let places = 0;
      for (let s = 0; s < this.n; s++) {
        const top = this.inner.ceiling(s);
        room.push(this.inner.target - top);
        if (top !== Infinity) places += seatsIn(room[s], this.inner.costOf(s, d.project));
      }
      for (let s = 0; s < this.n; s++) {
        const k = this.inner.costOf(s, d.project);
        const loss =
          room[s] === -Infinity ? 0 : seatsIn(room[s], k) - seatsIn(room[s] - this.inner.costOf(s, request.project), k);
        if (places - d.seats < loss) ok[s] = 0;
      }
    }
    return ok.includes(1) ? this.inner.pick(now, request, ok) : -1;
  }
}
