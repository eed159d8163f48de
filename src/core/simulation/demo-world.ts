/** The worlds of the demo. A client names one as `demo:NAME` in place of a project. */

export const DEMO_WORLDS = ['rover', 'arm', 'quadruped'] as const;

export type DemoWorld = (typeof DEMO_WORLDS)[number];

/** The world that a client asks for. Any other URL shows the rover. */
export function demoWorldOf(url: string): DemoWorld {
  return DEMO_WORLDS.find((name) => url === `demo:${name}`) ?? 'rover';
}
