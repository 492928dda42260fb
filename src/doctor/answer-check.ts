// Sends requests through the socket to the program as Postfix runs it now, and compares the answers with the database.
// One is about a user who is allowed, which shows that the program reads the same database; one is about a user who is
// refused, which shows that not everybody is allowed. The second one leaves a line in the mail log.
import { withReadTransaction } from '../cli/open';
import { decide, type Query } from '../policy/decide';
import { askLive, requestOf, STRANGER, socketOf, tcpAddress } from '../postfix/live-service';
import type { Connection } from '../rules/database';
import { rulesOf } from '../rules/lookup';
import { meaningOf, meaningText } from '../rules/meaning';
import { type Finding, fail, ok } from './finding';
import { databaseKind, type InstalledService } from './installed-service';

const CHECK = 'answer';

export async function* answerFindings(service: InstalledService): AsyncIterable<Finding> {
  const { postfix, policy, entry, db } = service;
  if (process.getuid?.() !== 0 || !postfix.isRunning()) return;
  // An inet service without a host listens on inet_interfaces.
  const [first = ''] = postfix.value('inet_interfaces').split(/[\s,]+/);
  const own = /^(all|loopback-only)?$/.test(first) ? '127.0.0.1' : first;
  const live = entry.type === 'inet' ? tcpAddress(policy.name, own) : socketOf(postfix.queueDir, policy.name);
  const at = typeof live === 'string' ? live : `${live.host}:${live.port}`;
  const command = postfix.reloadCommand;
  let slowest = 0;
  for (const { expected, ...query } of probesOf(service)) {
    const answer = await askLive(live, requestOf(query));
    if ('problem' in answer) {
      const more = [{ hint: 'then let Postfix load the service anew', command }];
      yield fail(CHECK, `no answer at ${at} (${answer.problem})`, { hint: answer.hint, more });
      return;
    }
    slowest = Math.max(slowest, answer.ms);
    if (expected === null || answer.action === expected) continue;
    const [found, wanted] = answer.action === 'reject' ? ['refused', 'allowed'] : ['allowed', 'refused'];
    const message = `${query.user} from ${query.address} is ${found} at ${at}, but ${wanted} by ${db}`;
    yield fail(CHECK, message, { command });
    return;
  }
  yield ok(CHECK, `${at} answered in ${Math.ceil(slowest)} ms`);
}

interface Probe extends Query {
  /** The answer by the database; null if the database cannot be read here. */
  readonly expected: 'dunno' | 'reject' | null;
}

function probesOf(service: InstalledService): Probe[] {
  const unknown = [{ ...STRANGER, expected: null }];
  if (databaseKind(service) !== 'file') return unknown;
  try {
    return withReadTransaction(service.db, (connection) => {
      const rules = rulesOf(connection);
      const probes = [STRANGER, ...candidates(connection)].map((query): Probe => {
        const isAllowed = decide(query, rules, Date.now()).kind === 'allowed';
        return { ...query, expected: isAllowed ? 'dunno' : 'reject' };
      });
      const first = (answer: string) => probes.filter(({ expected }) => expected === answer).slice(0, 1);
      return [...first('dunno'), ...first('reject')];
    });
  } catch {
    return unknown;
  }
}

/** The users of the first entries, each with an allowed address and with one that is likely not allowed. */
function candidates(connection: Connection): Query[] {
  const sql = `select a.user as user, coalesce(s.network, a.network) as network
    from access a left join network_set s on a.network = '@' || s.name limit 100`;
  const rows = connection.prepare(sql).all() as { user: unknown; network: unknown }[];
  return rows.flatMap(({ user, network }) => {
    const meaning = meaningOf('access', network);
    // The policy protocol cannot carry control characters.
    if (typeof user !== 'string' || /\p{Cc}/u.test(user) || meaning === null) return [];
    const address = meaning.kind === 'network' ? meaningText(meaning).replace(/\/.*/, '') : STRANGER.address;
    const name = user === '*' ? STRANGER.user : user.replace(/^@/, 'doctor@');
    return [address, STRANGER.address].map((from) => ({ user: name, address: from }));
  });
}
