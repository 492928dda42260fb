// npm as a newcomer has it: an empty home, an empty prefix, and whichever Node.js is wanted.
//
// In trouble: needs what `npm ci` needs, a registry or npm's cache, and the machine's settings for both; what npm printed
// is thrown.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export class Npm {
  readonly prefix: string;
  readonly env: NodeJS.ProcessEnv;

  /** `folder`: for prefix and home. `prebuilds`: see `packPrebuilt`; else npm downloads or compiles. */
  constructor(folder: string, prebuilds: string, node = process.execPath) {
    this.prefix = join(folder, 'prefix');
    const home = join(folder, 'home');
    for (const made of [this.prefix, home]) mkdirSync(made, { recursive: true });
    this.env = {
      PATH: `${dirname(node)}:${process.env['PATH'] ?? ''}`,
      HOME: home,
      NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'],
      npm_config_cache: setting('cache'),
      npm_config_userconfig: setting('userconfig'),
      npm_config_prefix: this.prefix,
      npm_config_prefer_offline: 'true',
      npm_config_update_notifier: 'false',
      npm_config_better_sqlite3_local_prebuilds: prebuilds,
      // Most of the time of a compilation is the optimiser's, which is not tested here. These flags come after
      // better-sqlite3's own.
      CFLAGS: '-O0',
      CXXFLAGS: '-O0',
      NO_COLOR: '1',
    };
  }

  run(words: readonly string[], cwd = '/'): string {
    return execFileSync('npm', words, { cwd, encoding: 'utf8', env: this.env, stdio: 'pipe' });
  }

  /** A line as it is typed into a shell. */
  shell(line: string, cwd = '/'): string {
    return execFileSync('sh', ['-c', line], { cwd, encoding: 'utf8', env: this.env, stdio: 'pipe' });
  }

  /**
   * What the README says about npm 9, which takes the newest better-sqlite3 whatever Node.js it needs: the command that
   * `init` prints. Newer ones must not need it.
   */
  runCommandOfInit(node: string): void {
    if (Number.parseInt(this.run(['--version']), 10) > 9) return;
    const words = [join(this.prefix, 'bin/allow-nets'), 'init', '--db', join(this.prefix, 'db/access.db')];
    const { stderr } = spawnSync(node, words, { encoding: 'utf8', env: this.env });
    const [, command] = /^allow-nets: hint: run as the owner of the folder: (.*)$/m.exec(stderr) ?? [];
    if (command !== undefined) this.shell(command);
  }

  get packageFolder(): string {
    return join(this.prefix, 'lib/node_modules/postfix-allow-nets');
  }
}

/**
 * As the machine has it, for this user: a registry's address, its certificates and npm's cache are not what is tested.
 */
function setting(name: string): string {
  return execFileSync('npm', ['config', 'get', name], { encoding: 'utf8' }).trim();
}

/**
 * A checkout of its own, because `npm pack` builds, and other suites run the built file meanwhile. `modules`: with
 * node_modules.
 */
export function copyCheckout(folder: string, modules: 'none' | 'linked'): string {
  const checkout = join(folder, 'checkout');
  mkdirSync(checkout);
  const left = new Set(['node_modules', '.git', 'man', 'build']);
  for (const name of readdirSync('.').filter((one) => !left.has(one)))
    cpSync(name, join(checkout, name), { recursive: true, filter: (from) => from !== 'bin/allow-nets.js' });
  if (modules === 'linked') symlinkSync(realpathSync('node_modules'), join(checkout, 'node_modules'));
  return checkout;
}

/**
 * Puts the addon that `npm ci` compiled here where prebuild-install looks for one, so that it is compiled once. 13
 * needs none.
 */
export function packPrebuilt(into: string): void {
  mkdirSync(into, { recursive: true });
  const module = 'node_modules/better-sqlite3';
  const addon = 'build/Release/better_sqlite3.node';
  if (!existsSync(join(module, addon))) return;
  const { version } = JSON.parse(readFileSync(join(module, 'package.json'), 'utf8'));
  const { platform, arch, versions } = process;
  const libc = existsSync('/etc/alpine-release') ? 'musl' : '';
  const name = `better-sqlite3-v${version}-node-v${versions.modules}-${platform}${libc}-${arch}.tar.gz`;
  execFileSync('tar', ['-C', module, '-czf', join(into, name), addon]);
}

/**
 * The newest Node.js of a major version, from npm's package `node`, kept between runs in a folder that the service user can read.
 * @returns the absolute path of its `node`
 */
export function nodeOfMajor(major: number): string {
  const folder = join(tmpdir(), 'allow-nets-nodes', `${major}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  // The name is known beforehand, and what lies there is run as root.
  for (const one of [dirname(folder), folder]) {
    if (statSync(one).uid !== process.getuid?.()) throw new Error(`${one} belongs to somebody else`);
  }
  const node = join(folder, 'node_modules/node/bin/node');
  if (!existsSync(node)) {
    // npm 12 runs the install script, which brings the program itself, only when it is named.
    const manifest = { private: true, allowScripts: { node: true } };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    const words = ['install', '--no-audit', '--no-fund', `node@${major}`];
    execFileSync('npm', words, { cwd: folder, stdio: 'pipe' });
  }
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' });
  if (!version.startsWith(`v${major}.`)) throw new Error(`${node} is ${version}`);
  return realpathSync(node);
}
