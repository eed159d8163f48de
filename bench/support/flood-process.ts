import { obey } from './child.ts';
import type { FloodOrder, FloodResult } from './flood.ts';
import { makeRequests } from './requests.ts';

obey(async ({ address, ...order }: FloodOrder): Promise<FloodResult> => {
  let allocated = 0;
  const { answers } = await makeRequests({
    ...order,
    headers: () => `X-Forwarded-For: ${address}\r\n`,
    answered: (body) => {
      if (body.startsWith('ws')) allocated += 1;
    },
  });
  return { answers, allocated };
});
