/** Writes `monitor.csv`: a new file at each start, as with the original, rotated before it fills the disk. Each file has the header. */
import { existsSync } from 'node:fs';
import { csvLine, CSV_HEADER, type MonitorSample } from '../../core/simulation/monitor-csv.ts';
import { LogFile } from '../../logging/log-file.ts';
import { rotate } from '../../logging/rotation.ts';

export interface MonitorLogOptions {
  readonly path: string;
  /** Seconds; monotonic. */
  readonly now: () => number;
  readonly complain: (sentence: string) => void;
  /** Bytes of a file; 20 MB by default, about three days. */
  readonly maxBytes?: number;
}

/** Old files kept. */
const KEEP = 3;

export class MonitorLog {
  readonly #options: MonitorLogOptions;
  #file: LogFile;
  #bytes = 0;

  constructor(options: MonitorLogOptions) {
    this.#options = options;
    this.#file = this.#begin();
  }

  write(sample: MonitorSample): void {
    const line = `${csvLine(sample)}\n`;
    if (this.#bytes + line.length > (this.#options.maxBytes ?? 20_000_000)) {
      this.#file.close();
      this.#file = this.#begin();
    }
    this.#put(this.#file, line);
  }

  close(): void {
    this.#file.close();
  }

  #begin(): LogFile {
    const { path, now, complain } = this.#options;
    try {
      if (existsSync(path)) rotate(path, KEEP);
    } catch (error) {
      complain(`The file ${path} cannot be moved away: ${error instanceof Error ? error.message : String(error)}.`);
    }
    const file = new LogFile({ path, maxBytes: Infinity, keep: 0, now, complain, recovered: () => undefined });
    this.#bytes = 0;
    this.#put(file, `${CSV_HEADER}\n`);
    return file;
  }

  #put(file: LogFile, text: string): void {
    file.write(text);
    this.#bytes += text.length;
  }
}
