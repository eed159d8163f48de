/**
 * The file behind the log: appended to, rotated before it exceeds its size, and never a reason for the service to stop.
 *
 * The lines of one turn of the event loop are written together, synchronously: a line is in the file (or known not to be) when the turn is over, in order,
 * and a crash can lose one turn at most, which `flush` saves. pino's own destination was not chosen: when its `reopen` fails several times, as it does
 * while a folder is missing, the next success closes the old descriptor once for each failure, and by then it may belong to a socket.
 *
 * While the disk is full or the folder is missing, lines are counted and dropped. The failure is reported once on stderr, and the file is tried again
 * with the first line after ten seconds.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolderSync } from '../system/make-folder.ts';
import { rotate } from './rotation.ts';

export interface LogFileOptions {
  readonly path: string;
  /** Maximum size of a file in bytes. A longer line is alone in its file. */
  readonly maxBytes: number;
  /** Number of old files. */
  readonly keep: number;
  /** Seconds; monotonic. */
  readonly now: () => number;
  /** Reports to the operator what cannot be written to the log. */
  readonly complain: (sentence: string) => void;
  /** Called when lines can be written again. */
  readonly recovered: (gap: Gap) => void;
}

/** A time in which the file could not be written. */
export interface Gap {
  readonly seconds: number;
  readonly reason: string;
  readonly lostLines: number;
}

/** Seconds between two attempts. */
const RETRY = 10;
/** Seconds after which the same failure is reported again on stderr. */
const COMPLAIN_AGAIN = 3600;
/** Bytes after which the end of the turn is not waited for. */
const LARGE_BATCH = 65_536;
/** Without blocking, so that opening a named pipe without a reader fails instead of stopping the program. */
const APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NONBLOCK;

interface OpenFile {
  readonly descriptor: number;
  /** Bytes; `undefined` for a device or a pipe, which is never rotated. */
  size: number | undefined;
}

interface Failure {
  readonly since: number;
  readonly reason: string;
  retryAt: number;
  lostLines: number;
}

export class LogFile {
  readonly #options: LogFileOptions;
  #file: OpenFile | undefined;
  #failure: Failure | undefined;
  #complainedAt: number | undefined;
  #lines: Buffer[] = [];
  #bytes = 0;
  #scheduled = false;
  #closed = false;

  /** Opens the file. Does not throw when that fails. */
  constructor(options: LogFileOptions) {
    this.#options = options;
    this.reopen();
  }

  /** `line` ends with a line feed. */
  write(line: string): void {
    if (this.#closed) {
      this.#options.complain(line);
      return;
    }
    const bytes = Buffer.from(line);
    this.#lines.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= LARGE_BATCH) this.flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Writes all lines now, unless the file failed a moment ago. */
  flush(): void {
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    if (lines.length === 0) return;
    if (this.#failure === undefined || this.#options.now() >= this.#failure.retryAt) this.#attempt(() => this.#writeAll(lines));
    // Lines that are left could not be written.
    if (this.#failure !== undefined) this.#failure.lostLines += lines.length;
    // `recovered` writes a line.
    if (this.#lines.length > 0) this.flush();
  }

  /** Opens the file under its name again, after another program moved it. */
  reopen(): void {
    if (this.#closed) return;
    this.flush();
    this.#leave();
    this.#attempt(() => void (this.#file = open(this.#options.path)));
  }

  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    const { lostLines } = this.#failure ?? { lostLines: 0 };
    if (lostLines > 0) this.#options.complain(`${lostLines} lines could not be written to ${this.#options.path}.`);
    this.#leave();
  }

  /** Takes the lines that were written from the list. */
  #writeAll(lines: Buffer[]): void {
    while (lines.length > 0) {
      const file = this.#withRoom(lines[0]?.length ?? 0);
      let count = 1;
      let size = lines[0]?.length ?? 0;
      for (const { length } of lines.slice(1)) {
        if (file.size !== undefined && file.size + size + length > this.#options.maxBytes) break;
        size += length;
        count += 1;
      }
      append(file, Buffer.concat(lines.slice(0, count)));
      lines.splice(0, count);
    }
  }

  #withRoom(bytes: number): OpenFile {
    const { path, keep, maxBytes } = this.#options;
    this.#file ??= open(path);
    if (!isFull(this.#file, bytes, maxBytes)) return this.#file;
    this.#leave();
    // It is missing after another program moved it.
    if (existsSync(path)) rotate(path, keep);
    this.#file = open(path);
    return this.#file;
  }

  /** A failure of the file system is reported and remembered; any other error is a bug and thrown. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#fail(error);
      return;
    }
    const failure = this.#failure;
    if (failure === undefined) return;
    this.#failure = undefined;
    const { since, reason, lostLines } = failure;
    this.#options.recovered({ seconds: this.#options.now() - since, reason, lostLines });
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#leave();
    const now = this.#options.now();
    this.#failure ??= { since: now, reason: error.message, retryAt: now, lostLines: 0 };
    this.#failure.retryAt = now + RETRY;
    if (this.#complainedAt !== undefined && now - this.#complainedAt < COMPLAIN_AGAIN) return;
    this.#complainedAt = now;
    const { path, complain } = this.#options;
    complain(
      `The log ${path} cannot be written: ${error.message}. Check the disk, or the folder in "logDir" and its permissions. The service continues and tries again every ${RETRY} s.`,
    );
  }

  #leave(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    try {
      closeSync(file.descriptor);
    } catch (error) {
      // A network file system may report here what it could not store; there is nothing left to repeat.
      if (!isSystemError(error)) throw error;
    }
  }
}

function open(path: string): OpenFile {
  makeFolderSync(dirname(path));
  const descriptor = openSync(path, APPEND);
  const stats = fstatSync(descriptor);
  return { descriptor, size: stats.isFile() ? stats.size : undefined };
}

/** Another program may have truncated the file (logrotate's `copytruncate`), so its real size decides. */
function isFull(file: OpenFile, bytes: number, maxBytes: number): boolean {
  if (file.size === undefined || file.size === 0 || file.size + bytes <= maxBytes) return false;
  file.size = fstatSync(file.descriptor).size;
  return file.size > 0 && file.size + bytes > maxBytes;
}

function append(file: OpenFile, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file.descriptor, bytes, written);
  if (file.size !== undefined) file.size += bytes.length;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
