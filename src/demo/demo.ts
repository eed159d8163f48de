/** The demo as a whole: machines, a class, and a mail server, for the page at `/demo`. */
import type { Demo, DemoAction, DemoTokens, DemoView } from '../core/views/demo-view.ts';
import type { Machine } from './machines.ts';
import type { MailServer } from './mail-server.ts';
import type { SchoolClass } from './school-class.ts';

export interface DemoParts {
  readonly machines: readonly Machine[];
  readonly students: SchoolClass;
  readonly mail: MailServer;
  readonly tokens: DemoTokens;
  /** Of the session server. */
  readonly address: string;
}

export function createDemo({ machines, students, mail, tokens, address }: DemoParts): Demo {
  const machineOf = (name: string) => machines.find(({ view }) => view.name === name);
  return {
    view: (): DemoView => ({
      ...{ address, tokens, machines: machines.map(({ view }) => view) },
      ...{ class: students.view, mail: mail.view },
    }),
    act(action: DemoAction) {
      switch (action.kind) {
        case 'send-class':
          students.send();
          return;
        case 'send-home':
          students.sendHome();
          return;
        case 'slow-mail':
        case 'fast-mail':
          mail.slowDown(action.kind === 'slow-mail');
          return;
        case 'stop-machine':
          machineOf(action.machine)?.kill();
          return;
        case 'start-machine':
          void machineOf(action.machine)?.start();
      }
    },
  };
}
