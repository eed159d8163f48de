/**
 * Seeded random numbers (sfc32) with the few distributions the model needs.
 * Every part of a run draws from its own named stream, so that two policies
 * compared on one seed meet the same clients, servers and failures.
 */

/** @param {string} text @returns {number} 32-bit FNV-1a hash */
export function hash32(text) {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    h ^= text.charCodeAt(i);
    h = Math.imul(h, 0x01000193);
  }
  return h >>> 0;
}

export class Rng {
  /** @param {number} seed @param {string} [stream] */
  constructor(seed, stream = '') {
    this.a = 0x9e3779b9 ^ seed;
    this.b = hash32(stream);
    this.c = 0x243f6a88 ^ Math.imul(seed, 2654435761);
    this.d = 1;
    this.spare = NaN;
    for (let i = 0; i < 16; i++) this.next();
  }

  /** @returns {number} uniform in [0, 1) */
  next() {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + t) | 0;
    return (t >>> 0) / 4294967296;
  }

  /** @param {number} lo @param {number} hi */
  uniform(lo, hi) {
    return lo + (hi - lo) * this.next();
  }

  /** @param {number} n @returns {number} integer in [0, n) */
  int(n) {
    return Math.floor(this.next() * n);
  }

  /** @param {number} p */
  chance(p) {
    return this.next() < p;
  }

  /** @param {number} mean */
  exp(mean) {
    return -mean * Math.log(1 - this.next());
  }

  normal() {
    if (!Number.isNaN(this.spare)) {
      const s = this.spare;
      this.spare = NaN;
      return s;
    }
    const r = Math.sqrt(-2 * Math.log(1 - this.next()));
    const phi = 2 * Math.PI * this.next();
    this.spare = r * Math.sin(phi);
    return r * Math.cos(phi);
  }

  /** log-normal given by its median and the sigma of its logarithm */
  logNormal(median, sigma) {
    return median * Math.exp(sigma * this.normal());
  }
}
