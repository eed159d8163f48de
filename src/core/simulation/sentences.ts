/** Sentences of a simulation server to its clients that the pages for visitors translate. Those of progress have fewer than 40 characters. */

export const PROGRESS = {
  fetching: 'Fetching the project',
  preparing: 'Preparing the project',
  starting: 'Starting the simulation',
  loading: 'Loading the world',
} as const;

export const NO_REPOSITORY = 'The repository, branch or tag does not exist, or is private.';
export const OUT_OF_MEMORY = 'The simulation ran out of memory.';
