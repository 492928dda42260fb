// Our reading and our changes of main.cf and master.cf against Postfix's own: postconf finds the same values, and what install writes is what postconf
// understands, also where options are bundled.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { servicesOf } from '../../src/postfix/config-text';
import type { ConfigFiles } from '../../src/postfix/configuration';
import { installPlan, uninstallPlan } from '../../src/postfix/plan';
import { needs, program } from '../requires';
import { makeLookOlder } from '../rig/postfix-files';
import { makeFolder } from '../rig/scratch';
import { CONFIGURATIONS } from './configurations';

describe('postconf', needs('postconf'), () => {
  function write({ main, master }: ConfigFiles): string {
    const dir = makeFolder('postconf');
    for (const [name, text] of Object.entries({ 'main.cf': main, 'master.cf': master })) {
      writeFileSync(join(dir, name), text);
      makeLookOlder(join(dir, name));
    }
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

  CONFIGURATIONS.forEach(({ name, main, master }, i) => {
    test(`${name}: postconf reads what install writes, and nothing after uninstall`, () => {
      const files = { main, master };
      const form = { oneShot: i % 2 === 1, trial: i % 4 > 1 };
      const argv = ['/usr/bin/node', '/opt/allow nets/{a}/allow-nets.js', '--db', '/srv/x.db'];
      const wanted = { name: 'allow-nets', user: 'nobody', argv, ...form };
      const [, last] = installPlan(files, wanted);
      const words = servicesOf(last.master).find((one) => one.name === 'allow-nets')?.words;
      assert.deepEqual(words, ['user=nobody', `argv=${argv[0]}`, ...argv.slice(1)]);
      assert.ok(postconf(write(last), ['-M', 'allow-nets/unix']).includes('/opt/allow nets/{a}/allow-nets.js'));
      const left = uninstallPlan(last, 'allow-nets');
      assert.equal(seen(write(left)), seen(write(files)));
    });
    test(`${name}: postconf and we read the same overrides`, () => {
      const theirs = postconf(write({ main, master }), ['-P'])
        .split('\n')
        .filter((line) => line !== '');
      const ours = servicesOf(master).flatMap(({ name: service, type, overrides }) =>
        [...overrides].map(([parameter, value]) => `${service}/${type}/${parameter} = ${value}`),
      );
      const spaced = (lines: readonly string[]) => lines.map((line) => line.replace(/\s+/g, ' ').trimEnd()).sort();
      assert.deepEqual(spaced(ours), spaced(theirs));
    });
  });

  function postconf(dir: string, words: readonly string[]): string {
    const ran = spawnSync(program('postconf'), ['-c', dir, ...words], { encoding: 'utf8' });
    assert.equal(ran.status, 0, `${words.join(' ')}: ${ran.stderr}`);
    return ran.stdout;
  }
});
