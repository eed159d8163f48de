/** The questions of `setup`, in which an operator can go back: answers that were given before are given again, up to the one that is to be changed. */

/** Asks the operator; `undefined` without a terminal. `again`: the last answer was not accepted. */
export type Ask = ((question: string, preset: string, again?: boolean) => Promise<string>) | undefined;

/** What an operator types to return to the previous question. */
export const BACK = 'back';

export interface Interview {
  /** The outcome of the questions that `conduct` asks. Throws what the terminal throws. */
  readonly hold: <T>(conduct: (ask: Ask) => Promise<T>) => Promise<T>;
  /** The next `hold` begins with the last question. */
  readonly goBack: () => void;
}

export function createInterview(ask: Ask): Interview {
  const given: string[] = [];
  const goBack = (): void => {
    given.pop();
  };
  if (ask === undefined) return { hold: (conduct) => conduct(undefined), goBack };

  const hold: Interview['hold'] = async (conduct) => {
    let next = 0;
    const replay = async (question: string, preset: string, again = false): Promise<string> => {
      if (again) {
        given.pop();
        next -= 1;
      }
      const known = given[next];
      const answer = known ?? (await ask(question, preset));
      if (known === undefined && answer.trim().toLowerCase() === BACK) throw new WentBack();
      if (known === undefined) given.push(answer);
      next += 1;
      return answer;
    };
    try {
      return await conduct(replay);
    } catch (error) {
      if (!(error instanceof WentBack)) throw error;
      goBack();
      return hold(conduct);
    }
  };
  return { hold, goBack };
}

/** Never leaves this file. It ends the questions from wherever they are. */
class WentBack extends Error {}
