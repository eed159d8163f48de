import tseslint from 'typescript-eslint';

// Time and randomness are passed in (docs/decisions/0001-monotonic-seconds.md), so that a day of a fleet can be replayed in seconds.
const TIME = 'Take the time as an argument, or from Clock.';
const noHiddenInputs = [{ name: 'performance', message: TIME }];
/** `new Date(time)` is allowed, because it only converts a time that was passed in. */
const noHiddenDates = [
  { selector: ':not(NewExpression) > Identifier[name="Date"]', message: TIME },
  { selector: 'NewExpression[callee.name="Date"][arguments.length!=1]', message: TIME },
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', 'log/', 'state/'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/core/**/*.ts', 'src/engine/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': ['error', ...noHiddenInputs, 'setTimeout', 'setInterval', 'setImmediate'],
      'no-restricted-syntax': ['error', ...noHiddenDates],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Take Random as an argument.' }],
    },
  },
  {
    // Programs are started in one place, without a shell. The load agent keeps its one program running by itself.
    files: ['src/**/*.ts'],
    ignores: ['**/*.test.ts', 'src/simulation/launcher/**', 'src/agent/nvidia-smi.ts', 'src/demo/machines.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: ['node:child_process', 'child_process', 'node:cluster'].map((name) => ({ name, message: 'Use the launcher.' })),
        },
      ],
    },
  },
  {
    files: ['src/simulation/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', { selector: 'Property[key.name="shell"]', message: 'No shell, ever.' }],
    },
  },
  {
    files: ['**/*.test.ts', '**/*.test.tsx', 'test/**/*.ts'],
    rules: {
      // node:test collects the promises of `test` and `describe` itself.
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['test', 'describe', 'it', 'suite'] }] },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
