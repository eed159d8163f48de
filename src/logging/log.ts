/**
 * The log: `Log` of `ports.ts` by pino. Text lines as the original writes them, or JSON for collectors, into `<logDir>/session/output.log`, or to
 * stdout; with `debug` in more detail (docs/design/protocol.md, "Configuration file").
 *
 * Nothing outside makes it throw. What it cannot say in the log it says on stderr, once.
 */
import { join } from 'node:path';
import { pino, symbols, type DestinationStream } from 'pino';
import { startLoop, type Loop } from '../engine/loop.ts';
import type { Clock, Log, LogFields } from '../ports.ts';
import { printableJson } from './control-characters.ts';
import { LogFile, type Gap } from './log-file.ts';
import { LogLimiter } from './log-limiter.ts';
import { loggableFields, loggableText } from './loggable.ts';
import { textLine, type LogLevel } from './text-line.ts';

export interface LogOptions {
  /** Folder; the file is `session/output.log` in it, or that of another program. */
  readonly logDir: string;
  readonly program?: 'session' | 'simulation';
  /** To stdout instead of the file, with debug lines; as the original does. */
  readonly debug: boolean;
  /** Absent: as `debug` says. */
  readonly logTo?: 'file' | 'stdout' | undefined;
  /** The least important lines that are written. Absent: as `debug` says. */
  readonly logLevel?: LogLevel | undefined;
  readonly format: 'text' | 'json';
  readonly clock: Clock;
  /** Bytes a file may have. Default: the original's 500 000. */
  readonly maxBytes?: number;
  /** Old files kept. Default: the original's 10. */
  readonly keep?: number;
  readonly stdout?: Output;
  readonly stderr?: Output;
}

export interface Output {
  write(text: string): unknown;
}

export interface OpenLog extends Log {
  /** Opens the file under its name again, after another program has moved it away. */
  reopen(): void;
  /** Everything said so far is in the file when this returns: for the last moments of the process. It happens at `exit` by itself. */
  flushSync(): void;
  /** `lastLine` is the last line, after everything that was still to be written. */
  close(lastLine?: string): Promise<void>;
}

/** A key of `limited` may have five lines a minute, all keys of its kind a hundred. */
const LIMITS = { window: 60, perKey: 5, perKind: 100 } as const;

/** Path of the log in `logDir`. */
export function logPath(logDir: string, program: 'session' | 'simulation' = 'session'): string {
  return join(logDir, program, 'output.log');
}

/** Whether the log goes to stdout, and not to the file. */
export function logsToStdout({ debug, logTo = debug ? 'stdout' : 'file' }: Pick<LogOptions, 'debug' | 'logTo'>): boolean {
  return logTo === 'stdout';
}

/** Never throws: a folder that cannot be written is reported on stderr, and tried again. */
export function openLog(options: LogOptions): OpenLog {
  const { clock, debug, format, logLevel = debug ? 'debug' : 'info' } = options;
  const sink = logsToStdout(options) ? openStdout(options) : openFile(options, (gap) => reportGap(log, gap));
  const write = recordWriter(format, clock, logLevel, sink);
  const limiter = startLimiter(clock, write);
  const flushSync = (): void => sink.flush();

  const log: OpenLog = {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    limited: (level, key, message, fields) => {
      if (limiter.admits(level, key)) write(level, message, fields);
    },
    reopen: () => sink.reopen(),
    flushSync,
    async close(lastLine) {
      process.off('exit', flushSync);
      await limiter.stop();
      if (lastLine !== undefined) write('info', lastLine);
      sink.close();
    },
  };
  process.on('exit', flushSync);
  return log;
}

interface Sink {
  write(line: string): void;
  flush(): void;
  reopen(): void;
  close(): void;
}

type WriteRecord = (level: LogLevel, message: string, fields?: LogFields) => void;

function openFile(
  { logDir, program, maxBytes = 500_000, keep = 10, clock, stderr = process.stderr }: LogOptions,
  recovered: (gap: Gap) => void,
): Sink {
  return new LogFile({
    path: logPath(logDir, program),
    maxBytes,
    keep,
    now: () => clock.now(),
    complain: (sentence) => void stderr.write(`session-server: ${sentence.trimEnd()}\n`),
    recovered,
  });
}

/** The reader of stdout may go away; the service keeps running. */
function openStdout({ stdout = process.stdout, stderr = process.stderr }: LogOptions): Sink {
  let broken = false;
  const fail = (error: Error): void => {
    if (!broken) stderr.write(`session-server: The log on stdout cannot be written: ${error.message}. The service continues.\n`);
    broken = true;
  };
  if (stdout === process.stdout) process.stdout.on('error', fail);
  return {
    write: (line) => {
      if (!broken) stdout.write(line);
    },
    flush: nothing,
    reopen: nothing,
    close: () => void process.stdout.off('error', fail),
  };
}

function nothing(): void {
  // Pipes, terminals and files behind process.stdout are written synchronously.
}

function recordWriter(format: 'text' | 'json', clock: Clock, level: LogLevel, sink: Sink): WriteRecord {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: format === 'json' && (() => `,"time":"${new Date(Math.round(clock.wallTime() * 1000)).toISOString()}"`),
      formatters: { level: (label) => ({ level: label }) },
    },
    format === 'json' ? { write: (line) => sink.write(printableJson(line)) } : textStream(clock, sink),
  );
  return (level, message, fields) => {
    if (!logger.isLevelEnabled(level)) return;
    const text = loggableText(message);
    if (fields === undefined) logger[level](text);
    else logger[level]({ fields: loggableFields(fields) }, text);
  };
}

/** pino gives such a stream the values it is about to write, beside the JSON. */
function textStream(clock: Clock, sink: Sink): DestinationStream {
  const stream = {
    [symbols.needsMetadataGsym]: true,
    lastLevel: 0,
    lastMsg: '',
    lastObj: {} as { fields?: Readonly<Record<string, unknown>> },
    write() {
      const { lastLevel, lastMsg, lastObj } = stream;
      sink.write(textLine({ level: LEVELS[lastLevel] ?? 'error', wallTime: clock.wallTime(), message: lastMsg, ...lastObj }));
    },
  };
  return stream;
}

/** pino's numbers. */
const LEVELS: Readonly<Record<number, LogLevel>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };

function startLimiter(
  clock: Clock,
  write: WriteRecord,
): { admits(level: LogLevel, key: string): boolean; stop(): Promise<void> } {
  const limiter = new LogLimiter<LogLevel>(LIMITS);
  const endWindow = (): void => {
    for (const { level, key, count } of limiter.end()) {
      write(level, count === 1 ? '1 more line of this kind was suppressed' : `${count} more lines of this kind were suppressed`, {
        kind: key,
      });
    }
  };
  const loop: Loop = startLoop({
    clock,
    cycle() {
      if (limiter.remaining(clock.now()) <= 0) endWindow();
      return limiter.remaining(clock.now());
    },
    failed(error) {
      throw error;
    },
  });
  return {
    admits(level, key) {
      const remaining = limiter.remaining(clock.now());
      if (remaining <= 0) endWindow();
      const admitted = limiter.admits(level, key, clock.now());
      if (remaining === Infinity) loop.wake();
      return admitted;
    },
    async stop() {
      await loop.stop();
      endWindow();
    },
  };
}

function reportGap(log: Log, { seconds, reason, lostLines }: Gap): void {
  const lost = lostLines === 0 ? 'no line was lost' : `${lostLines} lines were lost`;
  log.warn(`The log could not be written for ${Math.round(seconds)} s; ${lost}`, { reason });
}
