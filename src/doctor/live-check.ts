// Sends requests through the socket to the program as Postfix runs it now, and compares the answers with the database.
// One is about a user who is allowed, which shows that the program reads the same database; one is about a user who is
// refused, which shows that not everybody is allowed. The second one leaves a line in the mail log.
import { decide } from '../policy/decide';
import { askLive, type LiveAddress, NoAnswer, requestOf, STRANGER, socketOf } from '../postfix/live-service';
import { shellLine } from '../postfix/run';
import { type Connection, openForReading, withDatabaseErrors } from '../rules/database';
import { rulesOf } from '../rules/lookup';
import { meaningOf, meaningText } from '../rules/meaning';
import { type Finding, fail, ok } from './finding';
import { databaseKind, type InstalledService, reloadCommand } from './installed-service';

const CHECK = 'answer';

export function* masterFindings({ postfix }: InstalledService): Iterable<Finding> {
  if (process.getuid?.() !== 0 || postfix.isRunning()) return;
  yield fail('Postfix', 'it is not running', { command: shellLine(postfix.command('start')) });
}

export async function* liveFindings(service: InstalledService): AsyncIterable<Finding> {
  const { postfix, db } = service;
  if (process.getuid?.() !== 0 || !postfix.isRunning()) return;
  const live = addressOf(service);
  const at = typeof live === 'string' ? live : `${live.host}:${live.port}`;
  const command = reloadCommand(postfix);
  try {
    let slowest = 0;
    for (const probe of probesOf(service)) {
      const { action, ms } = await askLive(live, requestOf(probe));
      slowest = Math.max(slowest, ms);
      if (probe.expected === null || action === probe.expected) continue;
      const [found, wanted] = action === 'reject' ? ['refused', 'allowed'] : ['allowed', 'refused'];
      const message = `${probe.user} from ${probe.address} is ${found} at ${at}, but ${wanted} by ${db}`;
      yield fail(CHECK, message, { command });
      return;
    }
    yield ok(CHECK, `${at} answered in ${Math.ceil(slowest)} ms`);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    const more = [{ hint: 'then let Postfix load the service anew', command }];
    yield fail(CHECK, `no answer at ${at} (${error.message})`, { hint: error.hint, more });
  }
}

/** The address of the service. An inet service without a host listens on inet_interfaces. */
function addressOf({ postfix, policy, entry }: InstalledService): LiveAddress {
  if (entry.type !== 'inet') return socketOf(postfix.queueDir, policy.name);
  const [, host, port] = /^(?:\[?(.*?)\]?:)?(\d+)$/.exec(policy.name) ?? [];
  const [first = ''] = postfix.value('inet_interfaces').split(/[\s,]+/);
  const own = /^(all|loopback-only)?$/.test(first) ? '127.0.0.1' : first;
  return { host: host || own, port: Number(port) };
}

interface Probe {
  readonly user: string;
  readonly address: string;
  /** The answer by the database; null if the database cannot be read here. */
  readonly expected: 'dunno' | 'reject' | null;
}

function probesOf(service: InstalledService): Probe[] {
  const { db } = service;
  const unknown = [{ ...STRANGER, expected: null }];
  if (databaseKind(service) !== 'file') return unknown;
  try {
    return withDatabaseErrors(db, () => {
      const { connection } = openForReading(db);
      try {
        const stranger = judge(connection, STRANGER);
        const users = candidates(connection);
        const allowed = users.find(({ expected }) => expected === 'dunno');
        // An entry for everybody can allow the stranger, and another one still refuse a user.
        const refused = [stranger, ...users].find(({ expected }) => expected === 'reject') ?? stranger;
        return allowed === undefined ? [refused] : [allowed, refused];
      } finally {
        connection.close();
      }
    });
  } catch {
    return unknown;
  }
}

function judge(connection: Connection, probe: { user: string; address: string }): Probe {
  const { kind } = decide(probe, rulesOf(connection), Date.now());
  return { ...probe, expected: kind === 'allowed' ? 'dunno' : 'reject' };
}

/** Probes for the users of the first entries, each with an allowed address and with one that is likely not allowed. */
function candidates(connection: Connection): Probe[] {
  const sql = `select a.user as user, coalesce(s.network, a.network) as network
    from access a left join network_set s on a.network = '@' || s.name limit 100`;
  const rows = connection.prepare(sql).all() as { user: unknown; network: unknown }[];
  return rows.flatMap(({ user, network }) => {
    const meaning = meaningOf('access', network);
    // The policy protocol cannot carry control characters.
    if (typeof user !== 'string' || /\p{Cc}/u.test(user) || meaning === null) return [];
    const address = meaning.kind === 'network' ? meaningText(meaning).replace(/\/.*/, '') : STRANGER.address;
    const name = user === '*' ? STRANGER.user : user.replace(/^@/, 'doctor@');
    return [address, STRANGER.address].map((from) => judge(connection, { user: name, address: from }));
  });
}
