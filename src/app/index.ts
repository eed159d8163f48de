/** The composition root: from settings to a running session server. */
import type { Settings } from '../config/settings.ts';
import type { Edge } from '../http/edge.ts';
import { realAdapters, type Adapters, type Environment } from './adapters.ts';
import { build } from './build.ts';
import { reload } from './reload.ts';
import { start } from './start.ts';

export { realAdapters, type Adapters, type Environment } from './adapters.ts';

export interface App {
  /** The port that it listens on. */
  readonly port: number;
  /** Ports of the gateway; absent when it is disabled. */
  readonly gateway: Edge['gateway'];
  /** Applies new settings without closing a socket. Returns the keys that need a restart. */
  reload(settings: Settings): Promise<readonly string[]>;
  /** Answers what is in flight, closes the sockets, saves the state. Takes less than 2 s. */
  stop(): Promise<void>;
}

/** Throws the `listen` error of the port. Any other failure of the outside world is reported in the log. */
export async function startApp(initial: Settings, environment: Environment, adapters: Adapters = realAdapters): Promise<App> {
  const parts = build(initial, environment, adapters);
  const running = await start(parts, initial, adapters);
  const { edge } = running;
  return {
    port: edge.port,
    gateway: edge.gateway,
    reload: (wanted) => reload(wanted, initial, parts, running),
    stop: () => running.stop(),
  };
}
