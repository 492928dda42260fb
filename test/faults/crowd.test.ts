// Many SMTP clients at once (40 in the long form) ask a private Postfix, and it the program in both modes: first without a fault, then while
// programs are killed, the list is replaced again and again, a writer holds its lock, and other files are renamed over the database.
// Never a pass that neither the old nor the new list gives; otherwise the right verdict or 451; and the first question after the fault
// is answered right. faults/database and postfix/trouble have what else can happen to the file.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { needs } from '../requires';
import { askPolicy, clientAs, describeWithPostfix, programLines } from '../rig/policy-set-up';
import { start } from '../rig/run';
import { kill } from '../rig/scratch';
import { waitFor } from '../rig/wait-for';

const SOAK = process.env['SOAK'] === '1';
/** Each fault ends the program of each client, some twice: a start of Node each. */
const CLIENTS = SOAK ? 40 : 12;
const ANSWERS = SOAK ? 40_000 : 500;
/** How much longer a fault lasts in the long form. */
const LONG = SOAK ? 3 : 1;
/** How long (ms) a client waits before each recipient. */
const REST = SOAK ? 0 : 250;
/** Recipients in a session. */
const RECIPIENTS = 3;

type List = 'A' | 'B';
const otherThan = (list: List): List => (list === 'A' ? 'B' : 'A');

const BOTH = [
  'alice@example.com,192.0.2.0/24',
  '@example.org,198.51.100.0/25',
  'carol,any',
  'dave@example.com,@office',
];
const ONLY = {
  A: ['bob@example.com,203.0.113.0/24', 'erin@example.com,10.0.0.0/8'],
  B: ['bob@example.com,2001:db8:b::/48', 'erin@example.com,172.16.0.0/12'],
};
/** Enough other users for the file to have some pages and an import some time to take. */
const OTHERS = 300;

/** Who asks from where, and the lists that allow it. */
const QUESTIONS = [
  { user: 'alice@example.com', address: '192.0.2.9', allowedBy: 'AB' },
  { user: 'alice@example.com', address: '203.0.113.9', allowedBy: '' },
  { user: 'bob@example.com', address: '203.0.113.77', allowedBy: 'A' },
  { user: 'bob@example.com', address: '2001:db8:b::77', allowedBy: 'B' },
  { user: 'someone@example.org', address: '198.51.100.200', allowedBy: '' },
  { user: 'carol@example.com', address: '10.9.8.7', allowedBy: 'AB' },
  { user: 'erin@example.com', address: '172.16.1.2', allowedBy: 'B' },
  { user: 'dave@example.com', address: '192.0.2.130', allowedBy: 'AB' },
  { user: 'nobody-at-all', address: '192.0.2.9', allowedBy: '' },
] as const;

/** What may answer: a list, or 451. */
type Source = List | 'defer';

function codeFrom(source: Source, allowedBy: string): number {
  if (source === 'defer') return 451;
  return allowedBy.includes(source) ? 250 : 554;
}

describeWithPostfix(
  `${CLIENTS} clients at once`,
  needs('root', 'postfix', 'dovecot', 'openssl'),
  (policy) => {
    for (const list of ['A', 'B'] as const) {
      const [csv, db] = [join(policy.folder, `${list}.csv`), join(policy.folder, `${list}.db`)];
      const others = Array.from({ length: OTHERS }, (_, i) => `${list}${i}@example.net,10.${i % 256}.0.0/16`);
      writeFileSync(csv, `${['user,network', ...BOTH, ...ONLY[list], ...others].join('\n')}\n`);
      policy.allowNets('init', '--db', db);
      policy.allowNets('set', 'add', 'office', '192.0.2.128/25', '--db', db);
      policy.allowNets('import', csv, '--db', db);
    }
    return {
      listeners: {
        persistent: [askPolicy('unix:private/persistent')],
        oneRequest: [askPolicy('{ unix:private/one-request, request_limit=1 }')],
      },
      services: [policy.service('persistent', '--persistent'), policy.service('one-request')],
      // smtpd ends when it has been idle, and its program with it: the last test looks for what is left.
      parameters: { max_idle: '1s' },
    };
  },
  (suite) => {
    /** What may answer, one state after the other; the last one is in force. */
    const states: (readonly Source[])[] = [['A']];
    /** For each client, the state in which its last answered question was asked. */
    const lastAsked: number[] = [];
    const wrong: string[] = [];
    let answered = 0;
    let isOver = false;
    let crowd: Promise<unknown>;

    async function client(number: number): Promise<void> {
      // Five of six ask the persistent program: a start for each answer is slow.
      const port = suite.postfix.ports[number % 6 === 5 ? 'oneRequest' : 'persistent'];
      for (let turn = number; !isOver; turn++) {
        const { user, address, allowedBy } = QUESTIONS[turn % QUESTIONS.length] ?? QUESTIONS[0];
        const session = await clientAs(port, user, address);
        for (let i = 0; i < RECIPIENTS; i++) {
          await sleep(REST);
          const state = states.length - 1;
          const { code, text } = await session.rcpt(`friend${i}@example.net`);
          // Those that came while the question was under way may have answered, too.
          const right = states.slice(state).flatMap((sources) => sources.map((one) => codeFrom(one, allowedBy)));
          const reason = `Recipient address rejected: ${user} may not send mail from ${address}`;
          if (!right.includes(code) || (code === 554 && !text.endsWith(reason)))
            wrong.push(`${user} from ${address}: ${code} ${text}, in place of ${right}`);
          answered++;
          lastAsked[number] = state;
        }
        await session.quit();
      }
    }

    before(() => {
      put('A');
      const clients = Array.from({ length: CLIENTS }, (_, i) => client(i));
      crowd = Promise.all(clients.map((one) => one.catch((error) => wrong.push(`a client: ${error}`))));
    });
    after(() => {
      isOver = true;
    });

    /** Renames a copy of the list over the present database. */
    function put(list: List): void {
      const { folder, db } = suite.policy;
      copyFileSync(join(folder, `${list}.db`), `${db}.new`);
      chmodSync(`${db}.new`, 0o644);
      renameSync(`${db}.new`, db);
    }

    function wait(what: string, condition: () => boolean): Promise<boolean> {
      const isDone = () => wrong.length > 0 || condition();
      const context = () => suite.postfix.log().split('\n').slice(-30).join('\n');
      return waitFor(what, isDone, context, SOAK ? 3_000_000 : 120_000);
    }

    /** Waits until each client has an answer to a question from after this moment. */
    function eachAsked(): Promise<boolean> {
      const since = states.push(states.at(-1) ?? []) - 1;
      return wait('an answer to each client', () => lastAsked.filter((state) => state >= since).length === CLIENTS);
    }

    /** The policy programs that run, and their log programs. spawn(8) itself has the program's name on its command line too. */
    const programs = () =>
      suite.postfix.processes().filter(({ command }) => {
        return command.startsWith(`${suite.policy.program.node} `) || /^\S*(postlog|logger) /.test(command);
      });

    /**
     * @param sources what may answer while the fault lasts
     * @param fault makes the fault and ends it. @returns the list in force from then on
     */
    function testFault(name: string, sources: readonly Source[], fault: () => Promise<List>): void {
      test(name, { timeout: 3_600_000 }, async (t) => {
        const before = answered;
        states.push(sources);
        const list = await fault();
        states.push([list]);
        t.diagnostic(`${answered - before} answers meanwhile`);
        assert.ok(answered > before);
        await eachAsked();
        assert.deepEqual(wrong, []);
      });
    }

    async function again(ms: number, work: () => unknown): Promise<void> {
      for (const end = performance.now() + ms * LONG; performance.now() < end; ) await work();
    }

    testFault('no fault', ['A'], async () => {
      await wait('answers', () => answered >= ANSWERS);
      return 'A';
    });

    testFault('the policy programs are killed with SIGKILL every 50 ms', ['A', 'defer'], async () => {
      await again(3000, () => {
        for (const { pid } of programs()) kill(pid, 'SIGKILL');
        return sleep(50);
      });
      return 'A';
    });

    const anyOf = ['A', 'B', 'defer'] as const;
    testFault('the list is replaced again and again by import --replace', anyOf, async () => {
      let list: List = 'A';
      await again(5000, async () => {
        list = otherThan(list);
        states.push(anyOf);
        const words = ['import', join(suite.policy.folder, `${list}.csv`), '--replace', '--force'];
        const { status, stderr } = await start(words, { db: suite.policy.db }).ended;
        assert.equal(status, 0, stderr);
        // Between two imports one list alone is in force.
        states.push([list]);
        await sleep(200);
      });
      return list;
    });

    for (const [kind, ms, sources] of [
      ['immediate', 1000, ['A']],
      ['exclusive', 5000, ['A', 'defer']],
    ] as const) {
      testFault(`a change that is rolled back after ${ms / 1000} s (begin ${kind}) never counts`, sources, async () => {
        put('A');
        await eachAsked();
        const writer = new Database(suite.policy.db);
        // With the smallest cache, so that changes reach the file before the commit.
        if (kind === 'exclusive') writer.pragma('cache_size = 1');
        writer.exec(`begin ${kind}; delete from access; insert into access (user, network) values ('*', 'any')`);
        await sleep(ms);
        writer.exec('rollback');
        writer.close();
        return 'A';
      });
    }

    testFault('another file is renamed over the database again and again', ['A', 'B'], async () => {
      let list: List = 'A';
      await again(3000, () => {
        list = otherThan(list);
        put(list);
        return sleep(20);
      });
      return list;
    });

    test('no client was cut off, no program failed or is still running, and every refusal gave its reason', async () => {
      isOver = true;
      await crowd;
      assert.deepEqual(wrong, []);
      await waitFor('the end of all policy programs', () => programs().length === 0, suite.postfix.log, 60_000);
      const log = suite.postfix.log();
      const bug = /^.*(a bug:|exit status (70|1|2)\b|killed by signal (?!9)|panic:|fatal:).*$/gm;
      assert.deepEqual(log.match(bug) ?? [], []);
      // The words of Postfix for a reply that is not understood.
      assert.deepEqual(log.match(/^.*(attribute|malformed|unsupported|unexpected).*from.*private.*$/gim) ?? [], []);
      for (const line of programLines(log)) assert.match(line, /^(verdict=reject |warning: |\d+ log lines lost$)/);
    });
  },
);
