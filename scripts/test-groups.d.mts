export function groupTests(
  files: readonly string[],
  sourceOf: (file: string) => string,
): readonly (readonly [group: string, files: readonly string[]])[];
export function sharesProcess(source: string): boolean;
