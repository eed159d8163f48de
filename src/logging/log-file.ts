/**
 * The file behind the log: appended to, rotated before it exceeds its size, and never a reason for the service to stop.
 *
 * Lines of one turn of the event loop are written together, synchronously: a line is in the file (or known not to be) when the turn is over, in order,
 * and what a crash can lose is one turn, which `flush` saves. pino's own destination was not chosen: when its `reopen` fails several times, as it does
 * while a folder is gone, the next success closes the old descriptor once for each failure, and by then it may be somebody's socket.
 *
 * When the disk is full or the folder gone, lines wait in a bounded queue, the failure is said once on stderr, and the file is tried again with the
 * first line after ten seconds. A write that was cut short is taken back, so that no line is halved and none is there twice.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolderSync } from '../system/make-folder.ts';
import { rotate } from './rotation.ts';

export interface LogFileOptions {
  readonly path: string;
  /** Bytes a file may have. A longer line stands alone in a file. */
  readonly maxBytes: number;
  /** Old files kept. */
  readonly keep: number;
  /** Seconds; monotonic. */
  readonly now: () => number;
  /** Tells the operator what cannot stand in the log. */
  readonly complain: (sentence: string) => void;
  /** Called when lines can be written again. */
  readonly recovered: (gap: Gap) => void;
}

/** A time in which the file could not be written. */
export interface Gap {
  readonly seconds: number;
  readonly reason: string;
  /** Lines for which the queue had no room. */
  readonly lostLines: number;
}

/** Seconds between two tries. */
const RETRY = 10;
/** Seconds after which the same trouble is said again on stderr. */
const COMPLAIN_AGAIN = 3600;
/** Seconds between two looks whether the file is still the one under its name. */
const LOOK = 1;
/** Bytes that wait while the file cannot be written. */
const MAX_QUEUE = 1_048_576;
/** Bytes after which the end of the turn is not waited for. */
const LARGE_BATCH = 65_536;
/** Without blocking, so that a named pipe that nobody reads is a failure and not the end of everything. */
const APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NONBLOCK;

interface OpenFile {
  readonly descriptor: number;
  readonly device: number;
  readonly inode: number;
  /** Bytes in it; `undefined` for a device or a pipe, which is never rotated. */
  size: number | undefined;
  lookedAt: number;
}

interface Failure {
  readonly since: number;
  readonly reason: string;
  retryAt: number;
}

export class LogFile {
  readonly #options: LogFileOptions;
  #file: OpenFile | undefined;
  #failure: Failure | undefined;
  #complainedAt: number | undefined;
  #queue: { text: string; bytes: number }[] = [];
  #queuedBytes = 0;
  #lostLines = 0;
  #scheduled = false;
  #closed = false;

  /** Opens the file. Does not throw when that fails. */
  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#attempt(() => this.#ready());
  }

  /** `line` ends with a line feed. */
  write(line: string): void {
    if (this.#closed) {
      this.#options.complain(line);
      return;
    }
    const bytes = Buffer.byteLength(line);
    if (this.#queuedBytes + bytes > MAX_QUEUE) {
      this.#lostLines += 1;
    } else {
      this.#queue.push({ text: line, bytes });
      this.#queuedBytes += bytes;
    }
    if (this.#scheduled) {
      if (this.#queuedBytes >= LARGE_BATCH && this.#failure === undefined) this.#writeQueue();
      return;
    }
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#failure === undefined || this.#options.now() >= this.#failure.retryAt) this.#writeQueue();
    });
  }

  /** Writes all that waits, now. For the end of the process. */
  flush(): void {
    if (!this.#closed) this.#writeQueue();
  }

  /** Opens the file under its name anew: somebody moved it, or repaired the disk. */
  reopen(): void {
    if (this.#closed) return;
    this.#writeQueue();
    this.#leave();
    if (this.#failure === undefined) this.#attempt(() => this.#ready());
    else this.#failure.retryAt = this.#options.now();
  }

  close(): void {
    if (this.#closed) return;
    this.#writeQueue();
    const unwritten = this.#queue.length + this.#lostLines;
    if (unwritten > 0) this.#options.complain(`${unwritten} lines could not be written to ${this.#options.path}.`);
    this.#closed = true;
    this.#queue = [];
    this.#leave();
  }

  #writeQueue(): void {
    if (this.#queue.length === 0) return;
    this.#attempt(() => {
      while (this.#queue.length > 0) {
        const file = this.#withRoom(this.#ready());
        const batch = this.#batch(file);
        append(file, Buffer.from(batch.text));
        this.#queue.splice(0, batch.lines);
        this.#queuedBytes -= batch.bytes;
      }
    });
    // What `recovered` had to say.
    if (this.#failure === undefined) this.#writeQueue();
  }

  /** A failure of the file system is told and remembered; anything else is a bug and thrown on. */
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
    const gap = { seconds: this.#options.now() - failure.since, reason: failure.reason, lostLines: this.#lostLines };
    this.#lostLines = 0;
    this.#options.recovered(gap);
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#leave();
    const now = this.#options.now();
    this.#failure ??= { since: now, reason: error.message, retryAt: now };
    this.#failure.retryAt = now + RETRY;
    if (this.#complainedAt !== undefined && now - this.#complainedAt < COMPLAIN_AGAIN) return;
    this.#complainedAt = now;
    this.#options.complain(
      `The log ${this.#options.path} cannot be written: ${error.message}. ${advice(error.code)} The service goes on and tries again every ${RETRY} s.`,
    );
  }

  /** The open file, after a look whether it is still the one under its name: a file that was removed takes lines in silence. */
  #ready(): OpenFile {
    const now = this.#options.now();
    if (this.#file !== undefined && now - this.#file.lookedAt >= LOOK) {
      this.#file.lookedAt = now;
      this.#leaveIfReplaced();
    }
    this.#file ??= open(this.#options.path, now);
    return this.#file;
  }

  #withRoom(file: OpenFile): OpenFile {
    const next = this.#queue[0]?.bytes ?? 0;
    if (file.size === undefined || file.size === 0 || file.size + next <= this.#options.maxBytes) return file;
    this.#leaveIfReplaced();
    if (this.#file !== undefined) {
      this.#leave();
      rotate(this.#options.path, this.#options.keep);
    }
    return this.#withRoom(this.#ready());
  }

  /** As many lines as the file has room for; one at least. */
  #batch(file: OpenFile): { text: string; lines: number; bytes: number } {
    const room = file.size === undefined ? Infinity : this.#options.maxBytes - file.size;
    let text = '';
    let lines = 0;
    let bytes = 0;
    for (const line of this.#queue) {
      if (lines > 0 && bytes + line.bytes > room) break;
      text += line.text;
      bytes += line.bytes;
      lines += 1;
    }
    return { text, lines, bytes };
  }

  #leaveIfReplaced(): void {
    const { path, complain } = this.#options;
    const present = statSync(path, { throwIfNoEntry: false });
    if (present?.ino === this.#file?.inode && present?.dev === this.#file?.device) return;
    this.#leave();
    if (present === undefined) complain(`The log ${path} was removed or renamed; it is begun anew.`);
  }

  #leave(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    try {
      closeSync(file.descriptor);
    } catch (error) {
      // What a network file system could not store it may say only now, when there is nothing left to repeat.
      if (!isSystemError(error)) throw error;
    }
  }
}

function open(path: string, now: number): OpenFile {
  makeFolderSync(dirname(path));
  const descriptor = openSync(path, APPEND);
  const stats = fstatSync(descriptor);
  return {
    descriptor,
    device: stats.dev,
    inode: stats.ino,
    size: stats.isFile() ? stats.size : undefined,
    lookedAt: now,
  };
}

/** All of it or nothing. */
function append(file: OpenFile, bytes: Buffer): void {
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(file.descriptor, bytes, written);
  } catch (error) {
    const onlyOurs = file.size !== undefined && fstatSync(file.descriptor).size === file.size + written;
    if (onlyOurs) ftruncateSync(file.descriptor, file.size);
    throw error;
  }
  if (file.size !== undefined) file.size += written;
}

function advice(code: string | undefined): string {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'Free some space on the disk.';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'Let the user of this process write there, or name another folder as `logDir`.';
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EISDIR':
      return 'Something else has the name of the folder or the file: move it away, or name another folder as `logDir`.';
    case undefined:
    default:
      return 'Check the folder named as `logDir`.';
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
