// Many SMTP clients at once (40 in the long form), first without a fault, then while programs are killed, the list is replaced again and
// again, a writer holds its lock, and the file is renamed over, removed, cut, filled with noise, made unreadable, or on a full disk.
// Never a pass that neither the old nor the new list gives; otherwise the right verdict or 451; and the first question after the fault
// is answered right.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { needs } from '../requires';
import { programLines } from '../rig/policy-set-up';
import { kill } from '../rig/scratch';
import { waitFor } from '../rig/wait-for';
import { type Answer, CrowdSite, type List, rightCode } from './crowd-site';

const SOAK = process.env['SOAK'] === '1';
/** Each fault ends the program of each client, some twice: a start of Node each. */
const CLIENTS = SOAK ? 40 : 12;
const ANSWERS = SOAK ? 40_000 : 500;
/** How much longer a fault lasts in the long form. */
const LONG = SOAK ? 3 : 1;

const describeAnswer = ({ question, code, text }: Answer) =>
  `${question.user} from ${question.address}: ${code} ${text}`;
const otherThan = (list: List): List => (list === 'A' ? 'B' : 'A');

describe(`${CLIENTS} clients at once, and`, needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let site: CrowdSite;
  before(async () => {
    site = await CrowdSite.start(CLIENTS, SOAK ? 0 : 250);
  });
  after(() => site?.stop());

  /**
   * @param lists those in force while the fault lasts; `defer`: an answer may be 451 meanwhile
   * @param fault makes the fault and ends it. @returns the list in force from then on
   */
  function testFault(name: string, lists: readonly (List | 'defer')[], fault: () => Promise<List>): void {
    test(name, { timeout: 3_600_000 }, async (t) => {
      if (name.startsWith('the disk') && site.disk.lacking !== false) return t.skip(site.disk.lacking);
      const begun = performance.now();
      const list = await fault();
      const over = performance.now();
      await site.eachAsked(over);
      const count = { during: 0, deferred: 0, after: 0 };
      for (const answer of site.since(begun)) {
        const { question, code, ended } = answer;
        if (answer.begun >= over) {
          count.after++;
          assert.equal(code, rightCode(question, list), `after the fault, ${describeAnswer(answer)}`);
          continue;
        }
        count.during++;
        const isRight = lists.some((one) => one !== 'defer' && rightCode(question, one) === code);
        if (code === 451 && lists.includes('defer')) count.deferred++;
        // A question that was under way when the fault ended may have been decided by what came after.
        else if (!isRight)
          assert.ok(ended >= over && rightCode(question, list) === code, `during the fault, ${describeAnswer(answer)}`);
      }
      assert.ok(count.during > 0 && count.after > 0, JSON.stringify(count));
      t.diagnostic(JSON.stringify(count));
    });
  }

  async function again(ms: number, work: () => unknown): Promise<void> {
    for (const end = performance.now() + ms * LONG; performance.now() < end; ) await work();
  }

  testFault('no fault', ['A'], async () => {
    await site.wait('answers', () => site.answers.length >= ANSWERS, 3_000_000);
    return 'A';
  });

  testFault('the policy programs are killed with SIGKILL every 50 ms', ['A', 'defer'], async () => {
    await again(3000, () => {
      for (const { pid } of site.programs()) kill(pid, 'SIGKILL');
      return sleep(50);
    });
    return 'A';
  });

  testFault('the list is replaced again and again by import --replace', ['A', 'B', 'defer'], async () => {
    let list: List = 'A';
    await again(5000, async () => {
      list = otherThan(list);
      await site.import(list);
      const done = performance.now();
      await sleep(200);
      const next = performance.now();
      // Between two imports one list alone is in force.
      for (const answer of site.since(done).filter(({ ended }) => ended <= next))
        assert.equal(
          answer.code,
          rightCode(answer.question, list),
          `after the import of ${list}: ${describeAnswer(answer)}`,
        );
    });
    return list;
  });

  // A writer that holds its lock, with changes that it rolls back in the end: they must never count.
  for (const [kind, ms, lists] of [
    ['immediate', 1000, ['A']],
    ['exclusive', 1000, ['A', 'defer']],
    ['exclusive', 5000, ['A', 'defer']],
  ] as const) {
    testFault(`a write lock (begin ${kind}) held for ${ms / 1000} s`, lists, async () => {
      site.put('A');
      await site.eachAsked();
      const writer = new Database(site.db);
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
      site.put(list);
      return sleep(20);
    });
    return list;
  });

  // Each lasts until every client has asked during it, and is repaired by a whole new database.
  for (const [name, harm] of [
    ['the file is removed', (db) => fs.rmSync(db)],
    ['the file is cut to half', (db) => fs.truncateSync(db, fs.statSync(db).size / 2)],
    ['the file is filled with noise', (db) => fs.writeFileSync(db, Buffer.alloc(fs.statSync(db).size, 'noise'))],
    ['the file may not be read', (db) => fs.chmodSync(db, 0o600)],
    ['the folder may not be entered', () => fs.chmodSync(site.disk.folder, 0o700)],
  ] as [string, (db: string) => void][]) {
    testFault(name, ['A', 'B', 'defer'], async () => {
      for (let round = 0; round < LONG; round++) {
        site.put('A');
        await site.eachAsked();
        harm(site.db);
        await site.eachAsked();
        fs.chmodSync(site.disk.folder, 0o755);
        site.put('B');
        await site.eachAsked();
      }
      return 'B';
    });
  }

  testFault('the disk is full, and a change fails; with room again the same change counts', ['A', 'B'], async () => {
    site.put('A');
    let list: List = 'A';
    const filler = `${site.disk.folder}/filler`;
    let failure = '';
    // More than once: space is freed when programs close the files that were renamed over.
    for (let tries = 0; failure === '' && tries < 20; tries++) {
      spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k', 'oflag=append', 'conv=notrunc']);
      failure = await site.import(otherThan(list)).then(() => '', String);
      if (failure === '') list = otherThan(list);
    }
    assert.match(failure, /no room on the disk/);
    await site.eachAsked();
    fs.rmSync(filler);
    await site.import(otherThan(list));
    return otherThan(list);
  });

  test('no client was cut off, no program failed or is still running, and every refusal gave its reason', async () => {
    await site.end();
    for (const answer of site.answers.filter(({ code }) => code === 554)) {
      const { user, address } = answer.question;
      const reason = `Recipient address rejected: ${user} may not send mail from ${address}`;
      assert.ok(answer.text.endsWith(reason), describeAnswer(answer));
    }
    await waitFor('the end of all policy programs', () => site.programs().length === 0, site.postfix.log, 60_000);
    const log = site.postfix.log();
    const bug = /^.*(a bug:|exit status (70|1|2)\b|killed by signal (?!9)|panic:|fatal:).*$/gm;
    assert.deepEqual(log.match(bug) ?? [], []);
    // The words of Postfix for a reply that is not understood.
    assert.deepEqual(log.match(/^.*(attribute|malformed|unsupported|unexpected).*from.*private.*$/gim) ?? [], []);
    for (const line of programLines(log)) assert.match(line, /^(verdict=reject |warning: |\d+ log lines lost$)/);
  });
});
