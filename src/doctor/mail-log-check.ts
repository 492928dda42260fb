// Checks that log lines of the account reach the mail log, without writing one: it runs the log program with empty
// input and examines the path from there to the log.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { LOG_PROGRAMS, type LogProgram } from '../policy/mail-log';
import { type Account, runAs, unreadable } from '../postfix/account';
import { failureText, findProgram, shellLine } from '../postfix/run';
import { type Finding, type Fix, fail, ok, warn } from './finding';
import { andReload, type InstalledService, installCommand } from './installed-service';

const CHECK = 'mail log';

interface Obstacle extends Fix {
  readonly problem: string;
}

/** Tries the log programs in the same order as the policy program. */
export function* mailLogFindings(service: InstalledService): Iterable<Finding> {
  const { runner } = service;
  if (runner === null) return;
  let first: Obstacle | null = null;
  for (const program of LOG_PROGRAMS) {
    const file = findProgram(program.command);
    if (file === null) continue;
    const obstacle = obstacleOf(service, runner, program, file);
    if (obstacle === null) {
      if (first === null) yield ok(CHECK, `${runner.name} can run ${file}, and its lines get there`);
      else yield warn(CHECK, `${first.problem}; ${file} works, and writes where syslog does`, first);
      return;
    }
    first ??= obstacle;
  }
  first ??= { problem: 'there is neither postlog nor logger' };
  yield fail(CHECK, `${first.problem}: warnings and refusals are lost`, first);
}

function obstacleOf(service: InstalledService, runner: Account, program: LogProgram, file: string): Obstacle | null {
  const { postfix } = service;
  const isPostlog = program.command === 'postlog';
  // Check this first: a set-gid postlog exits if the default instance does not list the configuration directory.
  const early = isPostlog ? postlogObstacle(service, runner, file) : null;
  if (early !== null) return early;
  const closed = unreadable(runner, [file], postfix);
  if (closed !== null) return closed;
  const isFile = isPostlog && postfix.value('maillog_file') !== '';
  // Check this before postlog runs, too: postlog of Postfix 3.10 fails if it cannot reach postlogd.
  const closedWay = isFile ? postlogdObstacle(service, runner, file) : null;
  if (closedWay !== null) return closedWay;
  const ran = runAs(runner, [file, ...program.words('info')], postfix);
  if (ran.status !== 0) {
    const problem = `${file} fails as ${runner.name} (${failureText(ran)})`;
    return { problem, hint: `find out why ${file} fails` };
  }
  return isFile ? null : syslogObstacle(service);
}

const isSetgid = (file: string) => (fs.statSync(file).mode & 0o2000) !== 0;

/** Finds why postlog cannot run at all. */
function postlogObstacle({ postfix }: InstalledService, runner: Account, postlog: string): Obstacle | null {
  const { configDir, version } = postfix;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  // Before Postfix 3.7 a set-gid postlog gives its group to every user (RELEASE_NOTES-3.7).
  if (isSetgid(postlog) && (major < 3 || (major === 3 && minor < 7))) {
    const problem = `${postlog} is set-gid, which it must not be before Postfix 3.7`;
    return { problem, command: shellLine(['chmod', 'g-s', postlog]) };
  }
  const [, ...others] = postfix.listedFolders();
  if (isSetgid(postlog) && !postfix.listedFolders().includes(configDir)) {
    const list = `alternate_config_directories = ${[...others, configDir].join(', ')}`;
    const problem = `the default instance does not list ${configDir}, so postlog run by ${runner.name} does not log for it`;
    return { problem, command: shellLine(['postconf', '-e', list]) };
  }
  const mainCf = path.join(configDir, 'main.cf');
  const closed = unreadable(runner, [mainCf], postfix);
  return closed && { ...closed, problem: `${closed.problem}, without which ${postlog} fails` };
}

/** Finds why postlog cannot reach postlogd(8), which takes its lines at public/postlog if maillog_file is set. */
function postlogdObstacle(service: InstalledService, runner: Account, postlog: string): Obstacle | null {
  const { postfix } = service;
  const folder = path.join(postfix.queueDir, 'public');
  const socket = path.join(folder, 'postlog');
  const group = postfix.value('setgid_group');
  if (!fs.existsSync(socket)) {
    const words = ['-M', 'postlog/unix-dgram=postlog unix-dgram n - n - 1 postlogd'];
    const command = andReload(postfix, ['postconf', ...postfix.chosen, ...words]);
    return { problem: `maillog_file is set, but there is no ${socket}`, command };
  }
  if (isSetgid(postlog)) {
    if (fs.statSync(postlog).gid === fs.statSync(folder).gid) return null;
    const command = `${shellLine(['chgrp', group, postlog])} && ${shellLine(['chmod', '2755', postlog])}`;
    return { problem: `${postlog} does not have the group of ${folder}`, command };
  }
  if (unreadable(runner, [folder], postfix) === null) return null;
  const problem = `${postlog} is not set-gid ${group}, so ${runner.name} does not reach ${socket}`;
  return { problem, command: installCommand(service, { user: `${runner.name}:${group}` }) };
}

/** Finds why syslog does not take lines. Programs on Linux write to /dev/log only, on BSD and macOS to the others. */
function syslogObstacle({ postfix }: InstalledService): Obstacle | null {
  const sockets = process.platform === 'linux' ? ['/dev/log'] : ['/var/run/log', '/var/run/syslog'];
  if (sockets.some((file) => fs.statSync(file, { throwIfNoEntry: false })?.isSocket())) return null;
  return {
    problem: `no syslog daemon listens at ${sockets.join(' or ')}`,
    hint: 'start a syslog daemon, or let Postfix write the file itself',
    command: andReload(postfix, ['postconf', ...postfix.chosen, 'maillog_file=/var/log/postfix.log']),
  };
}
