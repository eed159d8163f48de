/** Binary heap of timed events, earliest first, ties in order of insertion. */
export class EventHeap {
  constructor() {
    this.items = [];
    this.seq = 0;
  }
  get size() {
    return this.items.length;
  }

  /** @param {number} t @param {number} kind @param {any} a @param {any} [b] */
  push(t, kind, a, b) {
    const e = { t, n: this.seq++, kind, a, b };
    const q = this.items;
    let i = q.length;
    q.push(e);
    while (i > 0) {
      const p = (i - 1) >> 1;
      if (!before(e, q[p])) break;
      q[i] = q[p];
      i = p;
    }
    q[i] = e;
  }

  pop() {
    const q = this.items;
    const top = q[0];
    const e = q.pop();
    const n = q.length;
    if (n > 0) {
      let i = 0;
      for (;;) {
        let c = 2 * i + 1;
        if (c >= n) break;
        if (c + 1 < n && before(q[c + 1], q[c])) c++;
        if (!before(q[c], e)) break;
        q[i] = q[c];
        i = c;
      }
      q[i] = e;
    }
    return top;
  }
}

function before(x, y) {
  return x.t < y.t || (x.t === y.t && x.n < y.n);
}
