/** How the command line of a container engine is run. */

/** Seconds an engine has to answer a short request. */
export const ANSWER = 20;

/** Where it finds its engine, and rootless ones their folders. None of it reaches a container. */
export function engineEnvironment(): Readonly<Record<string, string>> {
  const names = ['HOME', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS', 'DOCKER_HOST', 'CONTAINER_HOST'];
  return Object.fromEntries(names.map((name) => [name, process.env[name] ?? ''] as const).filter(([, value]) => value !== ''));
}
