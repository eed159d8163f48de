import { describeSharedStore } from '../../test/conformance/shared-store.ts';
import { MemorySharedStore } from './shared-memory.ts';

describeSharedStore('in memory', () => {
  let now = 1000;
  const store = new MemorySharedStore(() => now);
  const pass = (seconds: number) => {
    now += seconds;
    return Promise.resolve();
  };
  const forget = () => {
    store.forget();
    return Promise.resolve();
  };
  return Promise.resolve({ store, pass, forget });
});
