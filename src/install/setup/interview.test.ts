import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInterview } from './interview.ts';
import { askForAnswers } from './questions.ts';

/** A terminal with these answers. */
function terminal(...answers: readonly string[]) {
  const questions: string[] = [];
  const ask = (question: string) => {
    questions.push(question);
    return Promise.resolve(answers[questions.length - 1] ?? assert.fail(question));
  };
  return { questions, interview: createInterview(ask) };
}

test('every question can go back to the previous one, also after an answer that was not accepted', async () => {
  const { questions, interview } = terminal(
    ...['w.example.org', 'caddy', 'http://a', 'back', 'none', 'Back', 'back', 'v.example.org', 'none'],
    ...['v.example.org:2000', '', 'no'],
  );
  const result = await interview.hold((ask) => askForAnswers({}, ask));
  const words = questions.map((question) => (question.split('\n').at(-1) ?? '').split(' ').slice(0, 2).join(' '));
  assert.deepEqual(words, [
    ...['Domain name', 'What should', 'Simulation servers,', 'Simulation servers,', 'What should'],
    ...['Simulation servers,', 'What should', 'Domain name', 'What should', 'Simulation servers,'],
    ...['E-mail address', 'Let simulation'],
  ]);
  assert.ok(result.kind === 'answers');
  assert.equal(result.answers.server, 'v.example.org');
  assert.deepEqual(result.answers.simulationServers, ['v.example.org:2000']);
});

test('after the last question, the answer to it can be changed alone', async () => {
  const { questions, interview } = terminal('a', 'b', 'c');
  const both = () =>
    interview.hold(async (ask) => {
      return [await ask?.('first', ''), await ask?.('second', '')];
    });
  assert.deepEqual(await both(), ['a', 'b']);
  interview.goBack();
  assert.deepEqual(await both(), ['a', 'c']);
  assert.deepEqual(questions, ['first', 'second', 'second']);
});

test('an IP address as domain name is rejected where it is typed, with the option for a closed network', async () => {
  const { questions, interview } = terminal('10.0.0.5', 'w.example.org', 'none', '-', '', 'no');
  const result = await interview.hold((ask) => askForAnswers({}, ask));
  assert.equal(result.kind, 'answers');
  assert.match(questions[1] ?? '', /^10\.0\.0\.5 is an IP address.*--reverse-proxy none\nDomain name/);
  const closed = terminal('10.0.0.5', '-', '', 'no');
  const accepted = await closed.interview.hold((ask) => askForAnswers({ reverseProxy: 'none' }, ask));
  assert.equal(accepted.kind === 'answers' && accepted.answers.server, '10.0.0.5');
});
