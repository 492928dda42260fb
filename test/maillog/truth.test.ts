// learn and replay reproduce a known truth: logs of every style, plain and packed, several in any order, through the
// shipped program.
import assert from 'node:assert/strict';
import { BlockList, isIPv4 } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { entries, newDatabase } from '../rig/database';
import { oneOf } from '../rig/random';
import { run, shell } from '../rig/run';
import { newFile } from '../rig/scratch';
import { generateLog, picksOf, type Sent, STYLES } from './generator';
import { acceptedLine } from './small-log';

const MONTH = 86_400 * 30;
const now = Math.floor(Date.now() / 1000);
const styles = Object.entries(STYLES);
const plain = STYLES['RFC 3339, Z'] ?? assert.fail();
const instant = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

/** Throws unless `learn --json` printed exactly what was sent, worked out with net.BlockList and sets. */
function assertLearned(json: string, sent: readonly Sent[]): void {
  const left = new Set(sent);
  const family = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6');
  for (const { user, network, messages, days, first, last } of JSON.parse(json)) {
    const [base, prefix] = network.split('/');
    const list = new BlockList();
    list.addSubnet(base, Number(prefix), family(base));
    const of = sent.filter((one) => {
      const client = one.address.replace(/^::ffff:(?=\d+\.)/, '');
      const isHere = family(client) === family(base) && list.check(client, family(client));
      return isHere && one.user.normalize('NFC').toLowerCase().normalize('NFC') === user;
    });
    for (const one of of) assert.ok(left.delete(one), `${network} of ${user} is covered twice`);
    const seconds = of.map((one) => one.seconds);
    // The generator makes no IPv6 networks of /64 that share the first four groups.
    const groups = new Set(of.map(({ address }) => (address.includes('.') ? address : address.replace(/::.*$/, ''))));
    // biome-ignore format: two rows
    assert.deepEqual([user, network, messages, days, first, last, groups.size], [user, network, of.length,
      new Set(seconds.map((second) => Math.floor(second / 86_400))).size, instant(Math.min(...seconds)), instant(Math.max(...seconds)),
      2 ** ((isIPv4(base) ? 32 : 64) - Number(prefix))]);
  }
  assert.deepEqual([...left], [], 'not learned');
}

test('learn, then replay, of logs of every style', async (t) => {
  for (const [seed, [name, style]] of styles.entries()) {
    await t.test(`${name}, seed ${seed}`, () => {
      const { text, truth } = generateLog(picksOf(seed), style, 400, now - MONTH, now);
      const db = newDatabase();
      const log = newFile(text);
      const { status, stdout, stderr } = run(['learn', '--json', '--apply', '--force', log], { db });
      assert.equal(status, 0, stderr);
      assertLearned(stdout, truth);
      const rows = JSON.parse(stdout) as { user: string; network: string }[];
      assert.deepEqual(entries(db), rows.map(({ user, network }) => `${user} ${network}`).sort());
      const replayed = run(['replay', '--json', log], { db });
      const { deliveries, refused, users_without_entry } = JSON.parse(replayed.stdout);
      assert.deepEqual([replayed.status, deliveries, refused, users_without_entry], [0, truth.length, 0, 0]);
    });
  }
});

test('several files, plain and compressed, in any order', () => {
  const pick = picksOf(5);
  const parts = [4, 3, 2, 1, 0].map((month) =>
    generateLog(pick, oneOf(pick, styles)[1], 150, now - MONTH * (month + 1), now - MONTH * month),
  );
  const files = parts.map(({ text }, i) => newFile(i % 2 === 0 ? text : gzipSync(text)));
  for (const order of [files, [...files].reverse(), [2, 0, 4, 1, 3].map((i) => files[i] ?? '')]) {
    const { stdout } = run(['learn', '--json', ...order], { db: newDatabase() });
    assertLearned(
      stdout,
      parts.flatMap(({ truth }) => truth),
    );
  }
});

test('a log of many blocks, as a file and from a pipe, and among good mail what cannot be read', () => {
  const { text, truth } = generateLog(picksOf(11), plain, 1500, now - MONTH, now);
  const bad = `${acceptedLine('x\x07', '192.0.2.3', '2026-11-04T05:47:54Z')}${'x'.repeat(2_200_000)}\n${'z'.repeat(777)}\n`;
  const times = 8;
  const log = newFile(`${text}${bad}`.repeat(times));
  const db = newDatabase();
  const fromFile = run(['learn', '--json', log], { db });
  const fromPipe = shell(`cat ${log} | allow-nets learn --json -`, { db });
  assert.deepEqual({ ...fromFile, stderr: fromFile.stderr.replaceAll(log, 'standard input') }, fromPipe);
  assert.match(
    fromFile.stderr,
    new RegExp(`: ${2 * times} lines not understood, for example: 2026-11-04T05:47:54Z mx1 `),
  );
  assertLearned(fromFile.stdout, Array.from({ length: times }, () => truth.map((one) => ({ ...one }))).flat());
});
