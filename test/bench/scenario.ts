// What a scenario is given and gives.
import type { Figures } from './figures.ts';
import type { Floor } from './floor.ts';
import type { Meter } from './meter.ts';
import type { Fleet, User } from './user.ts';
import type { World } from './world.ts';

/** What the command line says about the load. */
export interface Load {
  readonly deployments: number;
  readonly namespaces: number;
  /** Changes a second, where a scenario has a rate. */
  readonly rate: number;
  /** Deployments of the noisy tenant. */
  readonly flood: number;
  /** How many of its requests are under way at the same time. */
  readonly floodAtOnce: number;
  /** How many deployments the scenario scale ends with. */
  readonly scaleTo: number;
  /** How long a scenario goes on that only looks, or that compares two stretches of time; milliseconds. */
  readonly forMs: number;
}

/** What scenarios work with. */
export interface Bench {
  readonly world: World;
  readonly user: User;
  readonly meter: Meter;
  readonly floor: Floor;
  readonly load: Load;
  /** The deployments that are there; makes them if nobody has. */
  fleet(): Promise<Fleet>;
  /** Deletes the deployments that are there. */
  clear(): Promise<void>;
  /** Notes which deployments are there now. */
  setFleet(fleet: Fleet | undefined): void;
  /** Tells what is going on. */
  say(line: string): void;
}

/** A scenario. Its figures' names begin with its own. */
export interface Scenario {
  readonly name: string;
  /** One sentence, for `--help`. */
  readonly summary: string;
  /** Whether it is run when no scenario is named. */
  readonly inAll: boolean;
  run(bench: Bench): Promise<Figures>;
}
