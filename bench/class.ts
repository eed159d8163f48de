/** A class of students: the burst of `support/burst.ts`, and thirty requests at once to three idle servers. About a minute; ends by itself. */
import { burst, withFleet } from './support/burst.ts';
import { note, tell, title } from './support/figures.ts';
import { getOnce } from './support/requests.ts';

await together();
await burst({ reportsSessions: false, spread: 5 });

async function together(): Promise<void> {
  title('Thirty requests at once on three equal idle simulation servers');
  await withFleet({ loads: [0, 0, 0] }, async ({ port }, { addresses }) => {
    const urls = await Promise.all(Array.from({ length: 30 }, () => getOnce(port, '/session')));
    const counts = addresses.map((address) => urls.filter((url) => url === `ws://${address}`).length);
    note(`handed out: ${counts.join(' / ')}`);
    tell({ what: 'most sessions on one server', value: Math.max(...counts), unit: 'sessions', goal: { atMost: 10 } });
    tell({ what: 'least sessions on one server', value: Math.min(...counts), unit: 'sessions', goal: { atLeast: 10 } });
  });
}
