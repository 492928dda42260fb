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

interface Answer {
  readonly client: number;
  readonly question: (typeof QUESTIONS)[number];
  readonly code: number;
  readonly text: string;
  /** `performance.now()` when the command was sent and when the reply had come. */
  readonly begun: number;
  readonly ended: number;
}

const rightCode = ({ question }: Answer, list: List) => (question.allowedBy.includes(list) ? 250 : 554);
const describeAnswer = ({ question, code, text }: Answer) =>
  `${question.user} from ${question.address}: ${code} ${text}`;

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
    const answers: Answer[] = [];
    let isOver = false;
    let crowd: Promise<unknown>;

    async function client(number: number): Promise<void> {
      // Five of six ask the persistent program: a start for each answer is slow.
      const port = suite.postfix.ports[number % 6 === 5 ? 'oneRequest' : 'persistent'];
      for (let turn = number; !isOver; turn++) {
        const question = QUESTIONS[turn % QUESTIONS.length] ?? QUESTIONS[0];
        const session = await clientAs(port, question.user, question.address);
        for (let i = 0; i < RECIPIENTS; i++) {
          await sleep(REST);
          const begun = performance.now();
          const { code, text } = await session.rcpt(`friend${i}@example.net`);
          answers.push({ client: number, question, code, text, begun, ended: performance.now() });
        }
        await session.quit();
      }
    }

    before(() => {
      put('A');
      crowd = Promise.all(Array.from({ length: CLIENTS }, (_, i) => client(i)));
      crowd.catch(() => {}); // thrown to whoever waits for it
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

    /** The answers to what was asked at this time or later. */
    const since = (time: number) => answers.filter(({ begun }) => begun >= time);

    /** @throws also when a client fails */
    async function wait(what: string, condition: () => boolean): Promise<void> {
      const over = crowd.then(() => {
        throw new Error('the crowd has gone');
      });
      const context = () => suite.postfix.log().split('\n').slice(-30).join('\n');
      await Promise.race([waitFor(what, condition, context, SOAK ? 3_000_000 : 120_000), over]);
    }

    /** Waits until each client has an answer to a question from after this moment. */
    const eachAsked = (time = performance.now()) =>
      wait('an answer to each client', () => new Set(since(time).map((answer) => answer.client)).size === CLIENTS);

    /** The policy programs that run, and their log programs. spawn(8) itself has the program's name on its command line too. */
    const programs = () =>
      suite.postfix
        .processes()
        .filter(
          ({ command }) => command.startsWith(`${suite.policy.program.node} `) || /^\S*(postlog|logger) /.test(command),
        );

    /**
     * @param lists those in force while the fault lasts; `defer`: an answer may be 451 meanwhile
     * @param fault makes the fault and ends it. @returns the list in force from then on
     */
    function testFault(name: string, lists: readonly (List | 'defer')[], fault: () => Promise<List>): void {
      test(name, { timeout: 3_600_000 }, async (t) => {
        const begun = performance.now();
        const list = await fault();
        const over = performance.now();
        await eachAsked(over);
        const count = { during: 0, deferred: 0, after: 0 };
        for (const answer of since(begun)) {
          if (answer.begun >= over) {
            count.after++;
            assert.equal(answer.code, rightCode(answer, list), `after the fault, ${describeAnswer(answer)}`);
            continue;
          }
          count.during++;
          const isRight = lists.some((one) => one !== 'defer' && rightCode(answer, one) === answer.code);
          // A question that was under way when the fault ended may have been decided by what came after.
          const isLate = answer.ended >= over && rightCode(answer, list) === answer.code;
          if (answer.code === 451 && lists.includes('defer')) count.deferred++;
          else assert.ok(isRight || isLate, `during the fault, ${describeAnswer(answer)}`);
        }
        assert.ok(count.during > 0 && count.after > 0, JSON.stringify(count));
        t.diagnostic(JSON.stringify(count));
      });
    }

    async function again(ms: number, work: () => unknown): Promise<void> {
      for (const end = performance.now() + ms * LONG; performance.now() < end; ) await work();
    }

    testFault('no fault', ['A'], async () => {
      await wait('answers', () => answers.length >= ANSWERS);
      return 'A';
    });

    testFault('the policy programs are killed with SIGKILL every 50 ms', ['A', 'defer'], async () => {
      await again(3000, () => {
        for (const { pid } of programs()) kill(pid, 'SIGKILL');
        return sleep(50);
      });
      return 'A';
    });

    testFault('the list is replaced again and again by import --replace', ['A', 'B', 'defer'], async () => {
      let list: List = 'A';
      await again(5000, async () => {
        list = otherThan(list);
        const words = ['import', join(suite.policy.folder, `${list}.csv`), '--replace', '--force'];
        const { status, stderr } = await start(words, { db: suite.policy.db }).ended;
        assert.equal(status, 0, stderr);
        const done = performance.now();
        await sleep(200);
        const next = performance.now();
        // Between two imports one list alone is in force.
        for (const answer of since(done).filter(({ ended }) => ended <= next))
          assert.equal(answer.code, rightCode(answer, list), `after the import of ${list}: ${describeAnswer(answer)}`);
      });
      return list;
    });

    for (const [kind, ms, lists] of [
      ['immediate', 1000, ['A']],
      ['exclusive', 5000, ['A', 'defer']],
    ] as const) {
      testFault(`a change that is rolled back after ${ms / 1000} s (begin ${kind}) never counts`, lists, async () => {
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
      for (const answer of answers.filter(({ code }) => code === 554)) {
        const { user, address } = answer.question;
        const reason = `Recipient address rejected: ${user} may not send mail from ${address}`;
        assert.ok(answer.text.endsWith(reason), describeAnswer(answer));
      }
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
