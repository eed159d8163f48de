export interface BuiltFile {
  readonly name: string;
  readonly hash: string;
  readonly bytes: number;
  readonly brotli: number;
  readonly gzip: number;
}

/** Bundles the monitor page into `folder`. */
export function buildWeb(folder?: string): Promise<readonly BuiltFile[]>;
