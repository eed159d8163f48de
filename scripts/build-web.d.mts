export interface BuiltFile {
  readonly name: string;
  readonly hash: string;
  readonly bytes: number;
  readonly brotli: number;
  readonly gzip: number;
}

/** Bundles the parts with these names, or all, into `folder`. Throws if one is too large. */
export function buildWeb(
  folder?: string,
  names?: readonly ('monitor' | 'visitors' | 'viewer' | 'classes' | 'client' | 'api')[],
): Promise<readonly BuiltFile[]>;
