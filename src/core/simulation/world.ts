/** What the first lines of a project's files say. Pure; every text is from outside. */

/** Version of Webots that a world was made with, such as `R2025a`; `undefined` for any other first line. */
export function webotsVersion(header: string): string | undefined {
  return /^#VRML_SIM (R20\d\d[a-z](?:-rev\d)?)(?: utf8)?\s*$/.exec(header)?.[1];
}

/** The first line of a world of this version. */
export function worldHeader(version: string): string {
  return `#VRML_SIM ${version} utf8`;
}

/** The image that runs a version of Webots, as the original chooses it. `images` maps versions to others. */
export function webotsImage(version: string, images: Readonly<Record<string, string>>): string {
  const own = Object.hasOwn(images, version) ? images[version] : undefined;
  if (own !== undefined) return own;
  const isOld = Number(version.slice(1, 5)) < 2023 || version === 'R2023a';
  return `cyberbotics/webots.cloud:${version}-ubuntu${isOld ? '20.04' : '22.04'}`;
}

/** The lines `type:…` of `webots.yml` as they are relayed to the client: without spaces, at most a few, and plain. */
export function typeLines(webotsYaml: string): readonly string[] {
  return webotsYaml
    .split(/\r?\n/)
    .map((line) => line.replaceAll(/[ \t]/g, ''))
    .filter((line) => /^type:[A-Za-z0-9_.-]{1,60}$/.test(line))
    .slice(0, 3);
}
