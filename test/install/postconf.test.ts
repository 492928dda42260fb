// Our reading and our changes of main.cf and master.cf against Postfix's own: postconf finds the same values, and the commands that
// install prints have the same effect as what it does.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Change } from '../../src/postfix/change';
import { servicesOf } from '../../src/postfix/master-cf';
import { installPlan, uninstallPlan } from '../../src/postfix/plan';
import type { ConfigFiles } from '../../src/postfix/service-view';
import { needs, program } from '../requires';
import { CONFIGURATIONS } from './configurations';

describe('postconf', needs('postconf'), () => {
  let folder: string;
  let builtIn: Set<string>;
  let count = 0;

  before(() => {
    // In memory where there is such a place: postconf waits for the disk at each change.
    folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'allow-nets-postconf-'));
    const defaults = postconf(write({ main: '', master: '' }), ['-d']);
    builtIn = new Set(defaults.split('\n').map((line) => line.split(' =')[0] ?? ''));
    assert.ok(builtIn.has('smtpd_recipient_restrictions'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function write({ main, master }: ConfigFiles): string {
    const dir = join(folder, String(count++));
    mkdirSync(dir);
    writeFileSync(join(dir, 'main.cf'), main);
    writeFileSync(join(dir, 'master.cf'), master);
    return dir;
  }

  /** What Postfix makes of the files. How a list is separated, and which folder it is in, is no difference. */
  function seen(dir: string): string {
    const text = `${postconf(dir, ['-n'])}\n${postconf(dir, ['-M'])}`;
    return text
      .replaceAll(dir, 'DIR')
      .replace(/[, \t{}]+/g, ' ')
      .replace(/ ?= ?/g, '=')
      .replace(/ $/gm, '');
  }

  /** Commands of one kind go together: each start of postconf takes its time. */
  function runAll(dir: string, changes: readonly Change[]): void {
    for (const option of ['-M', '', '-P', '-X', '-MX']) {
      const words = changes.flatMap(({ command }) => {
        const [first = '', ...rest] = command ?? [];
        if (option === '') return first.startsWith('-') ? [] : [first, ...rest];
        return first === option ? rest : [];
      });
      if (words.length > 0) postconf(dir, option === '' ? words : [option, ...words]);
    }
  }

  CONFIGURATIONS.forEach(({ name, main, master }, i) => {
    test(name, () => {
      // postconf itself would glue a new line to a last one without newline.
      const files = { main: ended(main), master: ended(master) };
      const form = { oneShot: i % 2 === 1, trial: i % 4 > 1 };
      const argv = ['/usr/bin/node', '/opt/allow nets/allow-nets.js', '--db', '/srv/x.db'];
      const wanted = { name: 'allow-nets', user: 'nobody', argv, ...form };
      const { service, lists } = installPlan(files, wanted, builtIn);
      const changes = [...service, ...lists];
      const last = changes.at(-1)?.files ?? files;
      const [ours, theirs] = [write(last), write(files)];
      assert.ok(changes.every(({ command }) => command !== null));
      runAll(theirs, changes);
      // Of an override that is given twice -P changes both, and the last one counts.
      const twice = name.includes('given twice');
      if (!twice) assert.equal(seen(theirs), seen(ours));
      const back = uninstallPlan(last, 'allow-nets');
      runAll(ours, [...back.lists, ...back.service]);
      if (!twice) assert.equal(seen(ours), seen(write(files)));
    });
    test(`${name}: the overrides`, () => {
      const theirs = postconf(write({ main, master }), ['-P'])
        .split('\n')
        .filter((line) => line !== '');
      const ours = servicesOf(master).flatMap(({ name: service, type, overrides }) =>
        [...new Map(overrides.map(({ name: parameter, value }) => [parameter, value.text]))].map(
          ([parameter, value]) => `${service}/${type}/${parameter} = ${value}`,
        ),
      );
      const spaced = (lines: readonly string[]) =>
        lines.map((line) => line.replace(/\s+/g, ' ').trimEnd()).sort();
      assert.deepEqual(spaced(ours), spaced(theirs));
    });
  });

  function postconf(dir: string, words: readonly string[]): string {
    const ran = spawnSync(program('postconf'), ['-c', dir, ...words], { encoding: 'utf8' });
    assert.equal(ran.status, 0, `${words.join(' ')}: ${ran.stderr}`);
    return ran.stdout;
  }
});

const ended = (text: string) => (text.endsWith('\n') ? text : `${text}\n`);
