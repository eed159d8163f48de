/**
 * Turns a scenario (plain JSON, see README.md) and a seed into servers and clients.
 * Nothing here depends on the policy under test.
 */
import { Rng } from './rng.mjs';

/**
 * @typedef {object} Client
 * @property {number} id
 * @property {number} arrival   seconds
 * @property {string} project   what the client asks to run (a policy may ignore it)
 * @property {number} cpu       steady CPU points it costs on a server of power 1
 * @property {number} gpu       steady GPU points it costs on a server of power 1
 * @property {number} startup   multiplier of the cost while it starts up
 * @property {number} startupTime seconds of start-up after the load appears
 * @property {number} connect   seconds before the client opens the URL it was given
 * @property {number} delay     seconds from connection until the load appears
 * @property {number} duration  seconds from connection until it leaves
 * @property {string} address    network address it asks from: its own, or that of its class, its school, an uptime check
 * @property {string} [code]      of the class it belongs to
 * @property {boolean} noShow   never opens the URL
 * @property {boolean} abandons leaves soon after connecting
 * @property {number} patience  seconds it is ready to wait for a place
 * @property {number[]} pauses   seconds after the load appeared at which it pauses and resumes, alternately
 *
 * @typedef {object} ServerSpec
 * @property {number} power
 * @property {number} background points
 * @property {boolean} blackhole every session on it dies after 10 s, and it looks idle
 * @property {boolean} stuck       its gauge always shows the background load
 */

const DEFAULTS = {
  horizon: 2400,
  measureFrom: 0,
  threshold: 95,
  servers: { count: 5, power: [1, 1], background: [1, 6], spikes: null, blackholes: 0, stuck: 0 },
  projects: { count: 8, cost: [2, 20], gpuShare: 0.3, spread: 0.25, startup: 1, startupTime: 15, zipf: 0.8 },
  session: { median: 1200, sigma: 0.8, min: 60, max: 7200 },
  delay: { median: 20, sigma: 0.6, min: 5, max: 60 },
  connect: [0.3, 3],
  noShow: 0.02,
  abandon: 0.03,
  patience: [90, 300],
  poll: { interval: 5, jitter: 0.1, loss: 0.01, lag: 0.2, timeout: 5 },
  noise: { base: 1, relative: 0.04 },
  /** users pause and resume their simulation: mean seconds of each, share of the load left while paused */
  pausing: null,
  /** probability that an overloaded server (true load above 100) answers a poll too late */
  lossWhenOver: 0,
  failures: [],
  /** the policy is notified when sessions connect and leave, as behind the gateway or with simulation servers that report it */
  counted: false,
  /** seats held for classes: [{ code, project, seats, start, end, grace }], seconds; doors open ten minutes before the start */
  reservations: [],
  /** mean length of the public's sessions as the operator configured it (`allocation.sessionLength`), about right */
  sessionLength: 1500,
  arrivals: [],
  queue: 'fifo',
  /** in queue mode "bypass": for how long (seconds) the head of the queue lets sessions that fit go first */
  bypass: 120,
};

/** @param {any} scenario @returns {any} the scenario with every default filled in */
export function complete(scenario) {
  const out = { ...DEFAULTS, ...scenario };
  for (const k of ['servers', 'session', 'delay', 'poll', 'noise']) {
    out[k] = { ...DEFAULTS[k], ...(scenario[k] ?? {}) };
  }
  if (!Array.isArray(out.projects)) out.projects = { ...DEFAULTS.projects, ...(scenario.projects ?? {}) };
  return out;
}

/** @param {any} sc completed scenario @param {number} seed */
export function generate(sc, seed) {
  const rs = new Rng(seed, 'servers');
  const servers = makeServers(sc, rs);
  const projects = makeProjects(sc, new Rng(seed, 'projects'));
  const rc = new Rng(seed, 'clients');

  const meanCost = projects.reduce((s, p) => s + p.share * Math.max(p.cpu, p.gpu), 0);
  const meanDuration = estimateMean(() => duration(sc.session, rc));
  const capacity = servers.reduce((s, v) => s + v.power * (95 - v.background), 0);
  // Sessions per second that keep the fleet at utilisation 1 in the long run.
  const rateAtFull = capacity / (meanCost * meanDuration);

  /** @type {Client[]} */
  const clients = [];
  for (const a of sc.arrivals) {
    const from = a.from ?? 0;
    const to = a.to ?? sc.horizon;
    const session = { ...sc.session, ...(a.session ?? {}) };
    const add = (/** @type {number} */ t) => {
      if (t < 0 || t >= sc.horizon) return;
      const p = a.project ? projects.find((x) => x.key === a.project) : choose(projects, rc);
      if (!p) throw new Error(`scenario ${sc.name}: no project ${a.project}`);
      const client = makeClient(
        { ...sc, noShow: a.noShow ?? sc.noShow, abandon: a.abandon ?? sc.abandon, patience: a.patience ?? sc.patience },
        session,
        p,
        t,
        rc,
      );
      if (a.address) client.address = a.address;
      if (a.code) client.code = a.code;
      // A lesson ends at about the same time for the whole class.
      if (a.endAt !== undefined) client.duration = Math.max(60, a.endAt + rc.uniform(-300, 300) - t);
      clients.push(client);
    };
    if (a.type === 'burst') {
      for (let i = 0; i < a.count; i++) add(a.at + rc.uniform(0, a.within));
    } else if (a.type === 'poisson') {
      const rate = a.rate ?? a.utilisation * rateAtFull;
      // Start in the steady state the rate implies, so that a run needs no long warm-up.
      if (a.prefill) {
        const n = Math.round(rate * meanDuration);
        for (let i = 0; i < n; i++) add(rc.uniform(0, a.prefill));
      }
      for (let t = from + rc.exp(1 / rate); t < to; t += rc.exp(1 / rate)) add(t);
    } else if (a.type === 'ramp' || a.type === 'wave') {
      // Thinning of a Poisson process: "ramp" grows exponentially up to a deadline,
      // "wave" is a day squeezed into `period` seconds.
      const peak = a.peak ?? a.peakUtilisation * rateAtFull;
      const low = a.low ?? a.lowUtilisation * rateAtFull;
      for (let t = from; ;) {
        t += rc.exp(1 / peak);
        if (t >= to) break;
        const x = (t - from) / (to - from);
        const rate =
          a.type === 'ramp'
            ? low * (peak / low) ** x
            : low + (peak - low) * 0.5 * (1 - Math.cos((2 * Math.PI * (t - from)) / a.period));
        if (rc.chance(rate / peak)) add(t);
      }
    } else {
      throw new Error(`scenario ${sc.name}: arrival type ${a.type}?`);
    }
  }
  clients.sort((x, y) => x.arrival - y.arrival);
  clients.forEach((c, i) => {
    c.id = i;
    c.address ||= `client-${i}`;
  });

  return {
    servers,
    projects,
    clients,
    spikes: makeSpikes(sc, servers, new Rng(seed, 'spikes')),
    failures: makeFailures(sc, servers, new Rng(seed, 'failures')),
  };
}

function makeServers(sc, rng) {
  const s = sc.servers;
  /** @type {ServerSpec[]} */
  const out = [];
  for (let i = 0; i < s.count; i++) {
    const power = Array.isArray(s.powers)
      ? s.powers[i % s.powers.length]
      : Math.exp(rng.uniform(Math.log(s.power[0]), Math.log(s.power[1])));
    out.push({ power, background: rng.uniform(s.background[0], s.background[1]), blackhole: false, stuck: false });
  }
  for (let k = 0; k < s.blackholes; k++) out[(k * 3) % s.count].blackhole = true;
  for (let k = 0; k < s.stuck; k++) out[(k * 3 + 1) % s.count].stuck = true;
  return out;
}

function makeProjects(sc, rng) {
  const p = sc.projects;
  /** @type {{key: string, share: number, cpu: number, gpu: number, spread: number, startup: number, startupTime: number}[]} */
  const list = [];
  if (Array.isArray(p)) {
    for (const x of p) {
      list.push({
        key: x.key,
        share: x.share ?? 1,
        cpu: x.cpu ?? 1,
        gpu: x.gpu ?? (x.cpu ?? 1) * 0.3,
        spread: x.spread ?? 0.25,
        startup: x.startup ?? 1,
        startupTime: x.startupTime ?? 15,
      });
    }
  } else {
    for (let i = 0; i < p.count; i++) {
      const c = Math.exp(rng.uniform(Math.log(p.cost[0]), Math.log(p.cost[1])));
      const onGpu = rng.chance(p.gpuShare);
      list.push({
        key: `p${i}`,
        share: (i + 1) ** -p.zipf,
        cpu: onGpu ? 0.4 * c : c,
        gpu: onGpu ? c : 0.3 * c,
        spread: p.spread,
        startup: p.startup,
        startupTime: p.startupTime,
      });
    }
  }
  const sum = list.reduce((s, x) => s + x.share, 0);
  for (const x of list) x.share /= sum;
  return list;
}

function choose(projects, rng) {
  let u = rng.next();
  for (const p of projects) {
    u -= p.share;
    if (u < 0) return p;
  }
  return projects[projects.length - 1];
}

function duration(s, rng) {
  return Math.min(s.max, Math.max(s.min, rng.logNormal(s.median, s.sigma)));
}

/** @returns {Client} */
function makeClient(sc, session, p, arrival, rng) {
  const scale = rng.logNormal(1, p.spread);
  const noShow = rng.chance(sc.noShow);
  const abandons = rng.chance(sc.abandon);
  const full = duration(session, rng);
  const delay = Math.min(sc.delay.max, Math.max(sc.delay.min, rng.logNormal(sc.delay.median, sc.delay.sigma)));
  const early = rng.uniform(3, 60);
  const pauses = [];
  if (sc.pausing) {
    for (let t = rng.exp(sc.pausing.on), on = true; t < full; on = !on) {
      pauses.push(t);
      t += rng.exp(on ? sc.pausing.off : sc.pausing.on);
    }
  }
  return {
    id: 0,
    arrival,
    project: p.key,
    address: '',
    cpu: p.cpu * scale,
    gpu: p.gpu * scale,
    startup: p.startup,
    startupTime: p.startupTime,
    connect: rng.uniform(sc.connect[0], sc.connect[1]),
    delay,
    duration: abandons ? early : Math.max(full, delay + 20),
    noShow,
    abandons,
    patience: rng.uniform(sc.patience[0], sc.patience[1]),
    pauses,
  };
}

function estimateMean(draw) {
  let s = 0;
  for (let i = 0; i < 400; i++) s += draw();
  return s / 400;
}

/** Background jobs of the server's owner that come and go. */
function makeSpikes(sc, servers, rng) {
  const out = [];
  const s = sc.servers.spikes;
  if (!s) return out;
  servers.forEach((v, j) => {
    for (let t = rng.exp(s.every); t < sc.horizon; t += rng.exp(s.every)) {
      out.push({
        server: j,
        at: t,
        size: rng.uniform(s.size[0], s.size[1]) / v.power,
        length: rng.uniform(s.length[0], s.length[1]),
      });
    }
  });
  return out;
}

function makeFailures(sc, servers, rng) {
  const out = [];
  for (const f of sc.failures) {
    const order = servers.map((_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const k = rng.int(i + 1);
      [order[i], order[k]] = [order[k], order[i]];
    }
    for (let i = 0; i < f.servers; i++)
      out.push({ server: order[i % order.length], at: f.at + rng.uniform(0, f.within ?? 5), down: f.down });
  }
  return out;
}
