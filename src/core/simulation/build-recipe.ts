/**
 * What is built of a project before it runs, once for each commit. As for the original, a `Dockerfile` makes the image, and a `Makefile` compiles the
 * controllers. Pure.
 */

/** Files of a project by which it is built. */
export type Recipe = 'Dockerfile' | 'Makefile';

/** Whose `Dockerfile` is used. A build has the network of the machine, and is not limited as a session is. */
export const IMAGE_BUILDERS = ['never', 'allowed', 'all'] as const;

export interface RecipeFacts {
  /** Those that the commit has. */
  readonly recipes: readonly Recipe[];
  /** Simulators run from an image. */
  readonly container: boolean;
  readonly build: (typeof IMAGE_BUILDERS)[number];
  /** The project is below a prefix of `allowedRepositories`. */
  readonly allowed: boolean;
}

/** `undefined`: nothing is built. A `Makefile` runs inside the isolation of the sessions, so that of every project is used. */
export function recipeOf({ recipes, container, build, allowed }: RecipeFacts): Recipe | undefined {
  const mayBuildImage = container && (build === 'all' || (build === 'allowed' && allowed));
  if (mayBuildImage && recipes.includes('Dockerfile')) return 'Dockerfile';
  return recipes.includes('Makefile') ? 'Makefile' : undefined;
}

export interface BuildStep {
  readonly number: number;
  readonly of: number;
}

/** A step of a build that begins, as podman (`STEP 3/7: RUN …`), docker (`Step 3/7 : RUN …`) and its newer builder (`#9 [3/7] RUN …`) print it. */
export function buildStep(line: string): BuildStep | undefined {
  const found = /^(?:STEP |Step |#\d{1,4} \[(?:[\w.-]{1,60} )?)(\d{1,3})\/(\d{1,3})(?: ?:|\])/.exec(line);
  const [number, of] = [Number(found?.[1]), Number(found?.[2])];
  return number >= 1 && number <= of ? { number, of } : undefined;
}

/** Between the name of a checkout and what distinguishes its builds, such as the image they begin with. */
const BUILT = '.built-';

export function builtName(checkout: string, digest: string): string {
  return `${checkout}${BUILT}${digest}`;
}

/** The checkout that was built, for the name of a build; any other name as it is. */
export function checkoutOf(name: string): string {
  const [checkout = name] = name.split(BUILT);
  return checkout;
}
