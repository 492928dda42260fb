// The systemd unit of examples/many-servers, run as systemd would run it, as far as that goes without systemd: its commands word for word,
// under its user, with no capability and no way to get one, and with a file system that is read-only but for its own folder and a /tmp of
// its own. Not done are the limits that the kernel sets for systemd by BPF: system calls, address families, namespaces.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { programPath } from '../packages.mjs';
import { needs } from '../requires';
import { query } from '../rig/database';
import { run, start as startCommand } from '../rig/run';
import { makeFolder, newFile } from '../rig/scratch';
import { waitFor } from '../rig/wait-for';

const FILE = 'examples/many-servers/allow-nets-sync.service';
const text = readFileSync(FILE, 'utf8').replace(/\\\n\s*/g, '');
const service = text.slice(text.indexOf('[Service]')).split('\n[')[0] ?? '';

/** The last value of a setting of [Service]; undefined when it does not stand there. */
const setting = (name: string) => [...service.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].at(-1)?.[1];

/** The words of a command. */
const command = (name: 'ExecStart' | 'ExecStartPre') =>
  (setting(name)?.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"(.*)"$/, '$1'));

/** In place of the machine's own: the folders of this program, of the programs that the unit starts, and of its state. */
interface Places {
  readonly program: string;
  readonly programs: string;
  readonly state: string;
}

/** Where `programs` and `program` are inside. */
const PROGRAMS = '/srv';
const PROGRAM_FOLDER = '/mnt';

/** The command line that runs `words` so; the process keeps its number. */
function asUnit(words: readonly string[], places: Places): string[] {
  const name = setting('StateDirectory') ?? '';
  const script = `
    set -e
    mount --bind '${places.program}' ${PROGRAM_FOLDER}
    mount --bind '${places.programs}' ${PROGRAMS}
    exec 9< '${places.state}'
    mount -t tmpfs -o mode=755 none /var/lib
    mkdir /var/lib/${name}
    mount --bind /proc/self/fd/9/. /var/lib/${name}
    exec 9<&-
    mount -o remount,bind,ro /
    mount -o remount,bind,ro ${PROGRAM_FOLDER}
    mount -o remount,bind,ro ${PROGRAMS}
    mount -o remount,ro /var/lib
    mount -t tmpfs -o mode=1777 none /tmp
    cd /
    umask ${setting('UMask')}
    exec setpriv --reuid nobody --regid nogroup --clear-groups \\
      --bounding-set=-all --inh-caps=-all --no-new-privs \\
      env -i PATH=${PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"`;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...words];
}

const NOBODY = 65_534;

test('what the unit must have, and must not', () => {
  const settings = {
    Type: 'exec',
    Restart: 'always',
    KillMode: 'mixed',
    User: 'allow-nets',
    NoNewPrivileges: 'yes',
    ProtectSystem: 'strict',
    PrivateTmp: 'yes',
    CapabilityBoundingSet: '',
    // V8 compiles while it runs.
    MemoryDenyWriteExecute: undefined,
  };
  for (const [name, value] of Object.entries(settings)) assert.equal(setting(name), value, name);
  // Longer than sync may take for a change, and than the second that it leaves to its command.
  assert.equal(setting('TimeoutStopSec'), '60s');
});

test('it runs the command of sync-mariadb.sh, which many-sites.test.ts tries for real, on the database that it makes', () => {
  const script = readFileSync('examples/many-servers/sync-mariadb.sh', 'utf8').replace(/\\\n\s*/g, '');
  const [, plain = ''] = /^exec allow-nets sync (.*)$/m.exec(script) ?? [];
  const [program, word, option, db, ...rest] = command('ExecStart');
  assert.deepEqual([program, word, option, db], ['allow-nets', 'sync', '--db', '/var/lib/allow-nets/access.db']);
  assert.equal(rest.join(' '), plain.replace(/['"]/g, ''));
  assert.deepEqual(command('ExecStartPre'), ['allow-nets', 'init', '--db', db]);
});

test('systemd understands the unit', {
  skip: programPath('systemd-analyze') ? false : 'there is no systemd',
}, () => {
  // It also looks whether the program is installed, which it is not here.
  const copy = newFile(readFileSync(FILE, 'utf8').replace(/=allow-nets /g, '=/bin/sh '), 'allow-nets-sync.service');
  const analyze = [programPath('systemd-analyze') ?? ''];
  assert.deepEqual(run(['verify', '--man=no', copy], { command: analyze }), { status: 0, stdout: '', stderr: '' });
});

const lacking = needs('root', 'unshare', 'setpriv');
const options = lacking.skip || mayMount() ? lacking : { skip: 'root may not mount here (a container)' };

function mayMount(): boolean {
  const words = ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'];
  return spawnSync(programPath('unshare') ?? 'unshare', words).status === 0;
}

describe('run as systemd would', options, () => {
  let places: Places;
  const start = (words: readonly string[]) => startCommand([], { command: asUnit(words, places), cwd: '/' });

  before(() => {
    const folder = makeFolder('unit');
    places = { program: process.cwd(), programs: join(folder, 'programs'), state: join(folder, 'state') };
    mkdirSync(places.programs);
    mkdirSync(places.state);
    chownSync(places.state, NOBODY, NOBODY);
    const program = (name: string, script: string) =>
      writeFileSync(join(places.programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    program('allow-nets', `exec '${process.execPath}' ${PROGRAM_FOLDER}/bin/allow-nets.js "$@"`);
    program('mariadb', 'cat /srv/list');
  });

  const offer = (list: string) => writeFileSync(join(places.programs, 'list'), list);
  const users = () => query(join(places.state, 'access.db'), 'select user from access order by user').join(' ');

  test('nothing but its own folder and /tmp can be written', async () => {
    const script =
      'for f in /etc /usr/bin /var/lib /srv /mnt /var/lib/allow-nets /tmp; do touch $f/x 2>&- && echo $f; done; id -un; grep -E "CapBnd|NoNewPrivs" /proc/self/status';
    const { stdout } = await start(['sh', '-c', script]).ended;
    assert.equal(
      stdout.replace(/\t/g, ' '),
      '/var/lib/allow-nets\n/tmp\nnobody\nCapBnd: 0000000000000000\nNoNewPrivs: 1\n',
    );
  });

  test('makes the database, follows the list, is started again after a crash, and ends well', async () => {
    offer('user\tnetwork\nalice\t192.0.2.0/24\n');
    const made = await start(command('ExecStartPre')).ended;
    assert.deepEqual([made.status, made.stderr], [0, '']);
    const { mode, uid } = statSync(join(places.state, 'access.db'));
    assert.deepEqual([mode & 0o777, uid], [0o640, NOBODY], 'the policy program reads it as another user');
    const words = command('ExecStart');
    const every = words.indexOf('--every') + 1;
    assert.equal(words[every], '30s');
    words[every] = '1s';
    const first = start(words);
    await waitFor('alice', () => users() === 'alice');
    first.child.kill('SIGKILL');
    await first.ended;
    offer('user\tnetwork\nalice\t192.0.2.0/24\nbob\t198.51.100.7\n');
    assert.equal((await start(command('ExecStartPre')).ended).status, 0);
    const second = start(words);
    await waitFor('bob', () => users() === 'alice bob');
    // KillMode=mixed: to it alone.
    const { status, signal, stderr } = await second.end();
    assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' });
  });
});
