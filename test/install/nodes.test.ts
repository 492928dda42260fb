// Every Node.js that package.json's `engines` names: the packed program installed into an empty prefix under each, its
// answers and mail through a real Postfix; a newcomer's checkout under the oldest and a newer one; and the remedy for
// the two pairs of Node.js and better-sqlite3 that crash.
//
// In trouble: a Node.js that npm cannot bring fails its tests.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { change } from '../rig/database';
import { PolicyProgram, request } from '../rig/policy-program';
import { mustRun } from '../rig/run';
import { makeFolder, removeFolder } from '../rig/scratch';
import { copyCheckout, Npm, nodeOfMajor, packPrebuilt } from './npm';
import { useSite } from './site';

/** Node.js -> the better-sqlite3 that npm takes. */
const MAJORS = { 20: 12, 22: 13, 24: 13, 26: 13 };

const REFUSED = (user: string, address: string) => `action=reject 5.7.1 ${user} may not send mail from ${address}\n\n`;
const DUNNO = 'action=dunno\n\n';

/** User, address, answer. `hand`: a row by another client, which ip-cidr reads. */
const ANSWERS: readonly (readonly [string, string, string])[] = [
  ['alice', '192.0.2.7', DUNNO],
  ['alice', '198.51.100.1', REFUSED('alice', '198.51.100.1')],
  ['alice', '2001:db8:1::7', DUNNO],
  ['alice', '::ffff:192.0.2.7', DUNNO],
  ['alice', 'unknown', REFUSED('alice', 'unknown')],
  ['bob@example.com', '203.0.113.9', DUNNO],
  ['stranger', '192.0.2.7', REFUSED('stranger', '192.0.2.7')],
  ['', '198.51.100.1', DUNNO],
  ['hand', '10.1.2.3', DUNNO],
  ['hand', '11.1.2.3', REFUSED('hand', '11.1.2.3')],
];

let folder: string;
let prebuilds: string;
let tarball: string;
before(() => {
  folder = makeFolder('nodes');
  prebuilds = join(folder, 'prebuilds');
  packPrebuilt(prebuilds);
  const checkout = copyCheckout(folder, 'linked');
  new Npm(join(folder, 'pack'), prebuilds).run(['pack'], checkout);
  tarball = join(checkout, readdirSync(checkout).find((name) => name.endsWith('.tgz')) ?? '');
});
after(() => removeFolder(folder));

/** The packed program, installed by npm under the Node.js of this major version. */
function install(major: number, place: string) {
  const node = nodeOfMajor(major);
  const npm = new Npm(join(folder, place), prebuilds, node);
  const allow = Number.parseInt(npm.run(['--version']), 10) >= 12 ? ['--allow-scripts=better-sqlite3'] : [];
  npm.run(['install', '-g', ...allow, tarball]);
  npm.runCommandOfInit(node);
  const script = realpathSync(join(npm.prefix, 'bin/allow-nets'));
  const module = join(npm.packageFolder, 'node_modules/better-sqlite3/package.json');
  return { npm, node, script, driver: () => JSON.parse(readFileSync(module, 'utf8')).version as string };
}

function makeDatabase(node: string, script: string, db: string): void {
  for (const line of [
    'init',
    'add alice 192.0.2.0/24 2001:db8:1::/48',
    'set add office 203.0.113.0/24',
    'add @example.com @office',
  ]) {
    mustRun(line.split(' '), { db, command: [node, script] });
  }
  change(db, "insert into access (user, network) values ('hand', '10.9.9.9/8')");
}

for (const [name, driverMajor] of Object.entries(MAJORS)) {
  describe(`Node.js ${name}`, needs('root', 'postfix', 'dovecot', 'openssl'), () => {
    let installed: ReturnType<typeof install>;
    let db: string;
    before(() => {
      installed = install(Number(name), name);
      const { node, script } = installed;
      db = join(folder, name, 'access.db');
      makeDatabase(node, script, db);
    });
    const site = useSite({ smtp: 'plain' }, () => ({ installed }));

    const start = (...words: string[]) =>
      PolicyProgram.start(['--db', db, ...words], { command: [installed.node, installed.script] });

    test(`npm takes better-sqlite3 ${driverMajor}`, () => {
      assert.match(installed.driver(), new RegExp(`^${driverMajor}\\.`));
    });

    test('one process for each request', async () => {
      for (const [user, address, answer] of ANSWERS) {
        const program = await start();
        program.write(request(user, address));
        const { bytes, status } = await program.ended;
        assert.deepEqual([bytes, status], [answer, 0], `${user} ${address}`);
      }
    });

    test('30,000 answers of one process', async () => {
      const program = await start('--persistent', '--log', 'none');
      const requests = Buffer.from(ANSWERS.map(([user, address]) => request(user, address)).join(''));
      const answers = ANSWERS.map(([, , answer]) => answer).join('');
      for (let count = 0; count < 30_000; count += ANSWERS.length) {
        assert.equal(await program.exchange(requests, answers.length), answers);
      }
      program.end();
      const { status, log } = await program.ended;
      assert.deepEqual([status, log], [0, []]);
    });

    test('mail through Postfix, and doctor', async () => {
      const { status, stderr } = site.onPostfix('install', '--yes');
      assert.equal(status, 0, stderr);
      assert.ok(site.read('master.cf').includes(installed.node));
      assert.deepEqual(await site.replies(), site.expected(true));
      const doctor = site.onPostfix('doctor');
      assert.equal(doctor.status, 0, doctor.stdout);
    });
  });
}

test('a pair that crashes is not loaded, and the remedy works in an installed package', () => {
  const { npm, script, driver } = install(20, 'remedy');
  const db = join(folder, 'remedy/access.db');
  makeDatabase(nodeOfMajor(20), script, db);
  // 12 on a newer Node.js, then the 13 of that remedy on the older one.
  for (const [other, wanted] of [
    [24, 13],
    [20, 12],
  ] as const) {
    const check = () =>
      spawnSync(nodeOfMajor(other), [script, 'check', 'alice', '192.0.2.7', '--db', db], {
        encoding: 'utf8',
        env: npm.env,
      });
    const crash = check();
    assert.equal(crash.status, 1);
    const [, remedy = ''] = /^allow-nets: hint: run as the owner of the folder:\n {2}(.*)$/m.exec(crash.stderr) ?? [];
    assert.match(remedy, new RegExp(`^cd \\S+ && PATH=\\S+ npm install .* better-sqlite3@${wanted}$`), crash.stderr);
    npm.shell(remedy);
    assert.match(driver(), new RegExp(`^${wanted}\\.`));
    assert.equal(check().status, 0, check().stderr);
  }
});

describe("a newcomer's checkout", needs('cc'), () => {
  for (const major of [20, 24]) {
    test(`npm ci && npm run demo on Node.js ${major}`, () => {
      const place = join(folder, `newcomer-${major}`);
      mkdirSync(place);
      const npm = new Npm(place, prebuilds, nodeOfMajor(major));
      const printed = npm.shell('npm ci && npm run demo', copyCheckout(place, 'none'));
      assert.match(printed, /--> action=reject 5\.7\.1 .*\n[\s\S]*--> action=dunno/);
    });
  }
});
