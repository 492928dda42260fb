// Many SMTP clients at once (40 in the long form), first without a fault, then while programs are killed, the list is replaced again and
// again, a writer holds its lock, and the file is renamed over, removed, cut, filled with noise, made unreadable, or on a full disk.
// Never a pass that neither the old nor the new list gives; otherwise the right verdict or 451; and the first question after the fault
// is answered right.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { programLines } from '../postfix/policy-set-up';
import { needs } from '../requires';
import { waitFor } from '../wait-for';
import type { Answer } from './crowd';
import { FAULTS } from './crowd-fault-list';
import { CrowdSite } from './crowd-site';

const SOAK = process.env['SOAK'] === '1';
/** Each fault ends the program of each client, some twice: a start of Node each. */
const CLIENTS = SOAK ? 40 : 12;

const REASON = 'Recipient address rejected:';

describe(`${CLIENTS} clients at once, and`, needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let site: CrowdSite;
  before(async () => {
    site = await CrowdSite.start(CLIENTS, SOAK ? 0 : 250);
  });
  after(() => site?.stop());

  for (const { name, lists, mayDefer = false, fault } of FAULTS.filter(({ long }) => SOAK || !long)) {
    test(name, { timeout: 3_600_000 }, async (t) => {
      const begun = performance.now();
      const list = await fault(site);
      if (typeof list === 'object') return t.skip(list.skipped);
      const over = performance.now();
      await site.eachAsked(over);
      const count = { during: 0, deferred: 0, after: 0 };
      for (const answer of site.crowd.since(begun)) {
        const { ask, code, ended } = answer;
        if (answer.begun >= over) {
          count.after++;
          assert.equal(code, ask.right[list], `after the fault, ${inWords(answer)}`);
          continue;
        }
        count.during++;
        if (code === 451 && mayDefer) count.deferred++;
        // A question that was under way when the fault ended may have been decided by what came after.
        else if (!lists.some((one) => ask.right[one] === code))
          assert.ok(ended >= over && ask.right[list] === code, `during the fault, ${inWords(answer)}`);
      }
      assert.ok(count.during > 0 && count.after > 0, JSON.stringify(count));
      t.diagnostic(JSON.stringify(count));
    });
  }

  test('no client was cut off, no program had a bug or is left, and every refusal gave its reason', async () => {
    await site.crowd.end();
    for (const answer of site.crowd.answers.filter(({ code }) => code === 554)) {
      const { user, address } = answer.ask;
      assert.ok(answer.text.endsWith(`${REASON} ${user} may not send mail from ${address}`), inWords(answer));
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

function inWords({ ask, code, text }: Answer): string {
  return `${ask.user} from ${ask.address}: ${code} ${text}`;
}
