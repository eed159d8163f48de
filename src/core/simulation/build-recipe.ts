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
