// Whether an answer costs the same however many users and networks there are: each database against one user with one
// network, the same kind of question (IPv4 or IPv6, allowed or refused) on both. Nothing is logged (--log none): what a
// refusal costs to log does not depend on the database, and would hide what does.
import { seededPick } from '../rig/random';
import { type Family, familyOf, inside, MILLION, oneNetwork, outside, policy, SET_SIZE, userName } from './databases';
import { pingPong, REQUESTS } from './drivers';
import { loadedSet, millionUsers } from './many-rows';
import { type Ask, conversation } from './requests';
import type { Group, Row } from './row';

const KINDS = ([4, 6] as const).flatMap((family) => [true, false].map((allowed) => ({ family, allowed })));

/**
 * @param networks how many there are to ask about; half of the refused addresses lie between them, the other half far from all, and about
 *   one network all are far
 * @param user whose network `number` is
 */
function asks(networks: number, user: (number: number) => string, family: Family, allowed: boolean): Ask[] {
  const pick = seededPick(networks + family + Number(allowed));
  return Array.from({ length: REQUESTS }, (_, serial) => {
    let number = 2 + pick(networks - 2);
    if (familyOf(number) !== family) number ^= 1;
    const near = networks <= MILLION && serial % 2 === 0;
    const address = allowed ? inside(number, family, serial) : outside(number, family, near, serial);
    return { user: user(number), address, allowed };
  });
}

export const growth: Group = {
  name: 'growth',
  needs: ['cc', 'sqlite3'],
  async measure() {
    const million = (await millionUsers()).database;
    const loaded = (await loadedSet()).database;
    return KINDS.flatMap(({ family, allowed }) => {
      const asked = (database: string, networks: number, user: (number: number) => string) => ({
        argv: policy(database, '--persistent', '--log', 'none'),
        ...conversation(asks(networks, user, family, allowed)),
      });
      const [one, users, set] = pingPong([
        asked(oneNetwork(family), 1 << 22, () => userName(0)),
        asked(million, MILLION, userName),
        asked(loaded, SET_SIZE, () => userName(0)),
      ]);
      return Object.entries({ '1,000,000 users': users, 'a user with a loaded set of 100,000': set }).map(
        ([what, rate]): Row => ({
          what: `${what}, IPv${family} ${allowed ? 'allowed' : 'refused'}`,
          measured: { value: 1e6 / rate, unit: 'us' },
          against: { what: '1 user, 1 network', value: 1e6 / one },
          goal: { atMost: 1.5 },
        }),
      );
    });
  },
};
