/**
 * A strict reader of what Prometheus scrapes (its text format 0.0.4): whatever a scraper would refuse, or `promtool check metrics` would complain of, is an
 * error with the line it is in.
 */
import assert from 'node:assert/strict';

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
/** Prometheus reads `Nan` as `NaN`, and prom-client writes it. */
const SAMPLE = new RegExp(
  `^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)?\\})? (Na[nN]|[+-]Inf|[+-]?[0-9]+(?:\\.[0-9]+)?(?:e[+-]?[0-9]+)?)$`,
);
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
/** Names that end so are made by these types alone. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

export function readExposition(text: string): Map<string, Family> {
  const families = new Map<string, { type?: string; help?: string; samples: Sample[] }>();
  const seen = new Set<string>();
  let current: string | undefined;
  assert.ok(text.endsWith('\n'), 'the last line has no line feed');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, about, rest] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line) ?? [];
    if (kind !== undefined && about !== undefined && rest !== undefined) {
      if (about !== current) assert.ok(!families.has(about), `the lines of ${about} are not together: ${line}`);
      current = about;
      const family = families.get(about) ?? { samples: [] };
      families.set(about, family);
      assert.equal(family.samples.length, 0, `after its samples: ${line}`);
      if (kind === 'HELP') {
        assert.equal(family.help, undefined, `twice: ${line}`);
        family.help = rest;
      } else {
        assert.equal(family.type, undefined, `twice: ${line}`);
        assert.ok(TYPES.includes(rest), `no such type: ${line}`);
        family.type = rest;
      }
      continue;
    }
    assert.ok(!line.startsWith('#'), `neither HELP nor TYPE: ${line}`);
    const sample = readSample(line);
    const family = current === undefined ? undefined : families.get(current);
    assert.ok(family !== undefined && current !== undefined, `a sample before its HELP and TYPE: ${line}`);
    const endings = SUFFIXES[family.type ?? ''] ?? [''];
    assert.ok(
      endings.some((ending) => sample.name === `${current}${ending}`),
      `not of the family ${current}: ${line}`,
    );
    const identity = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
    assert.ok(!seen.has(identity), `the same series twice: ${line}`);
    seen.add(identity);
    family.samples.push(sample);
  }
  return new Map([...families].map(([name, { type, help, samples }]) => [name, judge(name, type, help, samples)]));
}

function readSample(line: string): Sample {
  const [, name, labelText, valueText] = SAMPLE.exec(line) ?? [];
  assert.ok(name !== undefined && valueText !== undefined, `no sample: ${line}`);
  const labels: Record<string, string> = {};
  for (const [, key = '', value = ''] of (labelText ?? '').matchAll(/([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"/g)) {
    assert.ok(!(key in labels), `a label twice: ${line}`);
    assert.ok(!key.startsWith('__'), `a label of Prometheus's own: ${line}`);
    labels[key] = value.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
  }
  return { name, labels, value: Number(valueText.replace('Inf', 'Infinity')) };
}

/** What `promtool check metrics` looks for. */
function judge(name: string, type: string | undefined, help: string | undefined, samples: Sample[]): Family {
  assert.ok(type !== undefined, `${name} has no TYPE`);
  assert.ok(help !== undefined && help.trim() !== '', `${name} has no HELP`);
  assert.equal(type === 'counter', name.endsWith('_total'), `${name} is a ${type}: counters, and nothing else, end in _total`);
  assert.doesNotMatch(name, /[A-Z]|:|_(?:counter|gauge|histogram|summary|metric)s?$/, `${name}: not a name for a metric`);
  assert.doesNotMatch(
    name,
    /_(?:milliseconds|ms|minutes|hours|days|kilobytes|megabytes|bits)(?:_total)?$/,
    `${name} is not in base units`,
  );
  if (type === 'histogram') judgeHistogram(name, samples);
  if (type === 'counter') for (const { value } of samples) assert.ok(value >= 0, `${name} is negative`);
  return { type, help, samples };
}

function judgeHistogram(name: string, samples: readonly Sample[]): void {
  const series = new Map<string, { buckets: Sample[]; sum?: number; count?: number }>();
  for (const sample of samples) {
    const { le: _, ...others } = sample.labels;
    const key = JSON.stringify(others);
    const one = series.get(key) ?? { buckets: [] };
    series.set(key, one);
    if (sample.name.endsWith('_sum')) one.sum = sample.value;
    else if (sample.name.endsWith('_count')) one.count = sample.value;
    else one.buckets.push(sample);
  }
  for (const { buckets, sum, count } of series.values()) {
    assert.ok(sum !== undefined && count !== undefined, `${name} lacks _sum or _count`);
    const bounds = buckets.map(({ labels }) => Number(labels['le']?.replace('Inf', 'Infinity')));
    assert.deepEqual(
      bounds,
      [...bounds].sort((a, b) => a - b),
      `${name}: buckets out of order`,
    );
    assert.equal(bounds.at(-1), Infinity, `${name}: no bucket for +Inf`);
    assert.equal(buckets.at(-1)?.value, count, `${name}: the last bucket is not the count`);
    buckets.reduce((before, { value }) => {
      assert.ok(value >= before, `${name}: buckets do not add up`);
      return value;
    }, 0);
  }
}
