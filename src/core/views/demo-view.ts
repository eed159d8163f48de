/** What the page of the demo shows, and what it can do. */

export type MachineState = 'starting' | 'running' | 'stopped';

export interface DemoMachine {
  readonly name: string;
  readonly state: MachineState;
}

export interface DemoClass {
  /** Students of a class. */
  readonly size: number;
  /** A class is here. */
  readonly present: boolean;
  readonly waiting: number;
  readonly simulating: number;
  readonly done: number;
  /** Times that a student asked again, because the machine of a simulation stopped. */
  readonly restarted: number;
  /** Milliseconds until the last session request was answered; absent: none was sent. */
  readonly lastAnswer: number | undefined;
}

export interface DemoMail {
  readonly slow: boolean;
  /** Seconds that a slow mail server takes for a message. */
  readonly delay: number;
  /** Subjects, the last one first. */
  readonly received: readonly string[];
}

/** With what a visitor of the demo signs in. */
export interface DemoTokens {
  readonly operator: string;
  readonly teacher: string;
}

export interface DemoView {
  /** Of the session server, such as `http://localhost:1999`. */
  readonly address: string;
  readonly tokens: DemoTokens;
  readonly machines: readonly DemoMachine[];
  readonly class: DemoClass;
  readonly mail: DemoMail;
}

export type DemoAction =
  | { readonly kind: 'send-class' | 'send-home' | 'slow-mail' | 'fast-mail' }
  | { readonly kind: 'stop-machine' | 'start-machine'; readonly machine: string };

/** The demo as its page needs it. */
export interface Demo {
  view(): DemoView;
  /** An action that makes no sense now has no effect. */
  act(action: DemoAction): void;
}
