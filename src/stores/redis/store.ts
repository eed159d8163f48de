/**
 * The shared store in a Redis or Valkey. Four scripts beside this file do what has to happen in one step; they are sent once and then called by their digest.
 * Everything that comes back is checked, because others may write to the store.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import {
  journalText,
  readJournalText,
  type JournalEntry,
  type SharedState,
  type Stamp,
} from '../../core/replicas/shared-state.ts';
import type { Beaten, CommitResult, SharedStore } from '../../ports.ts';
import { caller, connect, type RedisConnectionOptions } from './connection.ts';
import { readInfo } from './info.ts';
import { packageRoot } from '../../system/package-root.ts';

export interface RedisStoreOptions extends RedisConnectionOptions {
  /** First part of all keys. */
  readonly prefix: string;
  /** Begins the second part, for a trial beside the keys of the fleet. */
  readonly scope?: string;
}

/** Milliseconds for a list, and for a commit that replaces everything: tens of thousands of texts. */
const LONG_DEADLINE = 10_000;
/** Changes of a commit that takes longer. */
const MANY = 1000;
/** Commits that the journal keeps, about. */
const JOURNAL_LENGTH = 4096;
/** Commits that are read at once. */
const JOURNAL_COUNT = 500;
/** Entries with reports that are kept, about: ten seconds of a large fleet. */
const REPORTS_LENGTH = 256;
/** Entries that are read at once. */
const REPORTS_COUNT = 64;
/** Before all entries of a stream. */
const FIRST = '0-0';
/** Milliseconds by which the clock of the store may be set back without a loss of reports. */
const MAX_STEP = 1000;
/** Milliseconds after which a silent member is forgotten. */
const SILENCE = 60_000;

export function createRedisStore({ prefix, scope = '', ...connection }: RedisStoreOptions): SharedStore {
  const redis = connect(connection);
  const call = caller(redis, connection);
  // One tag in braces: all keys are in the same slot of a cluster.
  const key = (name: string) => `{${prefix}}:${scope}${name}`;
  const [lease, meta, members, beats] = [key('lease'), key('meta'), key('members'), key('beats')];
  const [state, journal, reports] = [key('state'), key('journal'), key('reports')];
  const scripts = {
    beat: script(redis, 'beat', [lease, meta, members, beats]),
    commit: script(redis, 'commit', [meta, state, journal]),
    list: script(redis, 'list', [meta, state]),
    leave: script(redis, 'leave', [lease, members, beats]),
  };

  return {
    async beat({ id, member, wants, lease: seconds, term }) {
      return readBeaten(await call(() => scripts.beat(id, member, wants ? 1 : 0, seconds * 1000, term, SILENCE)));
    },
    async commit({ leader, term, number, changes, replaces }) {
      const set = changes.flatMap(([changed, text]) => (typeof text === 'string' ? [changed, text] : []));
      const removed = changes.flatMap(([changed, text]) => (text === null && !replaces ? [changed] : []));
      const text = journalText(replaces ? undefined : changes);
      const count = set.length / 2;
      const args = [leader, term, number, replaces ? 1 : 0, text, JOURNAL_LENGTH, count, ...set, ...removed];
      return readCommitResult(await call(() => scripts.commit(...args), changes.length > MANY ? LONG_DEADLINE : undefined));
    },
    async list() {
      return readState(await call(() => scripts.list(), LONG_DEADLINE));
    },
    async journal(after) {
      const start = `(${after.term}-${after.number}`;
      return readEntries(await call(() => redis.xrange(journal, start, '+', 'COUNT', JOURNAL_COUNT)));
    },
    async read(keys) {
      const texts = await call(() => redis.hmget(state, ...keys));
      return new Map(
        keys.flatMap((name, index) => {
          const text = texts[index];
          return typeof text === 'string' ? [[name, text] as const] : [];
        }),
      );
    },
    async facts() {
      return readInfo(await call(() => redis.info()));
    },
    async report(text) {
      const append = () => redis.xadd(reports, 'MAXLEN', '~', REPORTS_LENGTH, '*', 'batch', text);
      // Others wrote there: it is another type, or its last id is the largest.
      await call(() => append().catch(() => redis.del(reports).then(append)));
    },
    async reports(cursor = FIRST) {
      const range = () => redis.xrange(reports, `(${cursor}`, '+', 'COUNT', REPORTS_COUNT);
      const [entries, time] = await call(() => Promise.all([range(), redis.time()]));
      const now = 1000 * count(time[0]) + Math.floor(count(time[1]) / 1000);
      const last = entries.at(-1)?.[0] ?? cursor;
      // Its clock was set back, or others wrote there. What is written next could be behind the cursor, and has the wrong age.
      if (millisecondsOf(last) > now + MAX_STEP) {
        await call(() => redis.del(reports));
        return { entries: [], cursor: FIRST, hasMore: false };
      }
      return {
        entries: entries.map(([id, [, text = '']]) => ({ text, age: Math.max(0, (now - millisecondsOf(id)) / 1000) })),
        ...{ cursor: last, hasMore: entries.length === REPORTS_COUNT },
      };
    },
    async leave(id) {
      await call(() => scripts.leave(id));
    },
    close() {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}

type Argument = string | number;
type StreamEntries = readonly (readonly [id: string, fields: readonly string[]])[];

function script(redis: Redis, name: string, keys: readonly string[]): (...args: readonly Argument[]) => Promise<unknown> {
  const lua = readFileSync(join(packageRoot, 'src', 'stores', 'redis', `${name}.lua`), 'utf8');
  const command = `sessionServer-${name}`;
  redis.defineCommand(command, { lua, numberOfKeys: keys.length });
  const defined = (redis as unknown as Readonly<Record<string, (...args: Argument[]) => Promise<unknown>>>)[command];
  return (...args) => defined?.call(redis, ...keys, ...args) ?? Promise.reject(new Error(`no script ${name}`));
}

function readBeaten(answer: unknown): Beaten {
  const [role, time, term, before, commitTerm, number, leader, left, ...members] = list(answer);
  if (role !== 'elected' && role !== 'leads' && role !== 'follows') throw notOurs();
  const seconds = count(left) / 1000;
  return {
    ...{ role, time: count(time) / 1000, term: count(term), before: count(before) },
    stamp: { term: count(commitTerm), number: count(number) },
    ...(typeof leader === 'string' && leader !== '' && { leader }),
    leaseLeft: Math.max(0, seconds),
    members: pairs(members).flatMap(([text, age]) =>
      Number.isSafeInteger(age) ? [{ text: String(text), age: Number(age) / 1000 }] : [],
    ),
  };
}

function readCommitResult(answer: unknown): CommitResult {
  if (answer === 'done' || answer === 'fenced' || answer === 'behind') return answer;
  throw notOurs();
}

function readState(answer: unknown): SharedState {
  const [term, number, texts] = list(answer);
  return {
    ...{ term: count(term), number: count(number) },
    texts: new Map(pairs(list(texts)).map(([key, text]) => [String(key), String(text)])),
  };
}

/** What is not ours ends the list: the mirror is then listed again. */
function readEntries(entries: StreamEntries): readonly JournalEntry[] {
  const read: JournalEntry[] = [];
  for (const [id, [, text = '']] of entries) {
    const stamp = readStamp(id);
    const entry = stamp && readJournalText(text, stamp);
    if (entry === undefined) break;
    read.push(entry);
  }
  return read;
}

/** When an entry was appended, by the clock of the store. */
function millisecondsOf(id: string): number {
  return Number(id.split('-')[0]);
}

function readStamp(id: string): Stamp | undefined {
  const [term, number] = id.split('-').map(Number);
  return Number.isSafeInteger(term) && Number.isSafeInteger(number) ? { term: Number(term), number: Number(number) } : undefined;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw notOurs();
  return value;
}

function pairs(values: readonly unknown[]): (readonly [unknown, unknown])[] {
  return Array.from({ length: Math.floor(values.length / 2) }, (_, index) => [values[2 * index], values[2 * index + 1]] as const);
}

function count(value: unknown): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw notOurs();
  return number;
}

function notOurs(): Error {
  return new Error('the shared store answers what no session server wrote; use another "replicas.prefix"');
}
