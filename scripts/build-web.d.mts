export interface BuiltFile {
  readonly name: string;
  readonly hash: string;
  readonly bytes: number;
  readonly brotli: number;
  readonly gzip: number;
}

/** Bundles the pages with these names, or all, into `folder`. */
export function buildWeb(folder?: string, names?: readonly ('monitor' | 'visitors' | 'viewer')[]): Promise<readonly BuiltFile[]>;
