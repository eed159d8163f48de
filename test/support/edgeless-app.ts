/** The whole session server but for its edge: nothing listens, and a test reaches what the edge is given. */
import assert from 'node:assert/strict';
import { startApp, type Adapters, type App, type Environment } from '../../src/app/index.ts';
import type { Settings } from '../../src/config/settings.ts';
import type { EdgeOptions } from '../../src/http/edge.ts';

export interface EdgelessApp {
  readonly app: App;
  readonly edge: EdgeOptions;
}

export async function startEdgelessApp(
  settings: Settings,
  surroundings: Environment,
  adapters: Pick<Adapters, 'createProbe' | 'createStore'>,
  /** Called as soon as clients could ask. */
  listening: (edge: EdgeOptions) => void = nothing,
): Promise<EdgelessApp> {
  let edge: EdgeOptions | undefined;
  const app = await startApp(settings, surroundings, {
    ...adapters,
    createNotifiers: () => [],
    startEdge: (options) => {
      edge = options;
      listening(options);
      return Promise.resolve({
        ...{ port: 0, gateway: undefined, reconfigure: nothing },
        close: () => Promise.resolve(),
      });
    },
  });
  assert.ok(edge, 'the edge was started');
  return { app, edge };
}

function nothing(): void {
  // There is no edge.
}
