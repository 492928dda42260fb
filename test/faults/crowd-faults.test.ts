// Many SMTP clients at once (40 in the long form) while programs are killed, the list is replaced again and again, a writer holds its lock, and the file is renamed
// over, removed, cut, filled with noise, made unreadable, or on a full disk. Never a pass that neither the old nor the new list gives;
// otherwise the right verdict or 451; and the first question after the fault has gone is answered right.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { type CrowdSite, startCrowdSite } from './crowd-site';
import { FAULTS } from './crowd-troubles';

const SOAK = process.env['SOAK'] === '1';
/** Each fault ends the program of each client, some twice: a start of Node each. */
const CLIENTS = SOAK ? 40 : 12;

describe(`${CLIENTS} clients at once, and`, needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let site: CrowdSite;
  before(async () => {
    site = await startCrowdSite(CLIENTS, SOAK ? 0 : 250);
  });
  after(() => site?.stop());

  for (const { name, lists, putOff = false, fault } of FAULTS.filter(({ long }) => SOAK || !long)) {
    test(name, { timeout: 3_600_000 }, async (t) => {
      const begun = performance.now();
      const outcome = await fault(site);
      if (typeof outcome === 'object') return t.skip(outcome.skipped);
      const gone = performance.now();
      await site.eachAsked(gone);
      const answers = site.crowd.since(begun);
      const count = { during: 0, putOff: 0, after: 0 };
      for (const { ask, code, text, begun: asked, ended } of answers) {
        const said = `${ask.user} from ${ask.address}: ${code} ${text}`;
        if (asked >= gone) {
          count.after++;
          assert.equal(code, ask.right[outcome], `after the fault, ${said}`);
        } else {
          count.during++;
          if (code === 451 && putOff) count.putOff++;
          // What was still under way when the fault went may have been decided by what came after.
          else if (!lists.some((list) => ask.right[list] === code)) {
            assert.ok(ended >= gone && ask.right[outcome] === code, `during the fault, ${said}`);
          }
        }
      }
      assert.ok(count.during > 0 && count.after > 0, JSON.stringify(count));
      t.diagnostic(JSON.stringify(count));
    });
  }

  test('no client was cut off, no program had a bug, and none said anything but answers', async () => {
    await site.crowd.end();
    const log = site.postfix.log();
    assert.deepEqual(
      log.match(/^.*(a bug:|exit status (70|1|2)\b|killed by signal (?!9)|panic:|fatal:).*$/gm) ?? [],
      [],
    );
    // How Postfix complains of an answer that is none.
    assert.deepEqual(log.match(/^.*(attribute|malformed|unsupported|unexpected).*from.*private.*$/gim) ?? [], []);
  });
});
