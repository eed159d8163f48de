/** The worlds of the demo by their names. */
import { DEMO_WORLDS, type DemoWorld } from '../../../core/simulation/demo-world.ts';
import { armWorld } from './arm.ts';
import { quadrupedWorld } from './quadruped.ts';
import { roverWorld } from './rover.ts';
import type { World } from './world.ts';

const worlds: Readonly<Record<DemoWorld, World>> = { rover: roverWorld, arm: armWorld, quadruped: quadrupedWorld };

/** `undefined`: there is no such world. */
export function findWorld(name: string): World | undefined {
  const known = DEMO_WORLDS.find((one) => one === name);
  return known && worlds[known];
}
