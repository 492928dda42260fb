// Whether the log lines of the account reach the mail log. Found out without writing one: the log program runs without
// a line, and the way from it to the log is examined.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { LOG_PROGRAMS, type LogProgram } from '../policy/mail-log';
import { type Account, closedTo, runAs } from '../postfix/account';
import { complaintOf, findProgram, shellLine } from '../postfix/run';
import { type Finding, type Fix, fail, ok, warn } from './finding';
import { andReload, type InstalledService, installCommand } from './installed-service';

const CHECK = 'mail log';

interface Obstacle extends Fix {
  readonly problem: string;
}

/** Tries the log programs in the order in which the policy program does. */
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
  // Before it runs: a set-gid postlog ends when it is given a configuration that the default instance does not list.
  const early = isPostlog ? postlogObstacle(service, runner, file) : null;
  if (early !== null) return early;
  if (closedTo(runner, file, postfix) !== null) {
    return { problem: `${runner.name} cannot run ${file}`, command: shellLine(['chmod', 'a+rx', file]) };
  }
  const isFile = isPostlog && postfix.value('maillog_file') !== '';
  // Before it runs, too: postlog of Postfix 3.10 fails when it does not reach postlogd.
  const closedWay = isFile ? postlogdObstacle(service, runner, file) : null;
  if (closedWay !== null) return closedWay;
  const ran = runAs(runner, [file, ...program.words('info')], postfix);
  if (ran.status !== 0) {
    const problem = `${file} fails as ${runner.name} (${complaintOf(ran)})`;
    return { problem, hint: `find out why ${file} fails` };
  }
  return isFile ? null : syslogObstacle(service);
}

const isSetgid = (file: string) => (fs.statSync(file).mode & 0o2000) !== 0;

/** What keeps postlog from running at all. */
function postlogObstacle({ postfix }: InstalledService, runner: Account, postlog: string): Obstacle | null {
  const { configDir, version } = postfix;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  // Postfix 3.7 made postlog fit for that (RELEASE_NOTES-3.7); before, it lends its group to everybody.
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
  const closed = closedTo(runner, mainCf, postfix);
  if (closed === null) return null;
  const problem = `${runner.name} cannot read ${mainCf}, without which ${postlog} fails`;
  return { problem, command: shellLine(['chmod', fs.statSync(closed).isDirectory() ? 'a+x' : 'a+r', closed]) };
}

/** What is between postlog and postlogd(8), to which it hands its lines at public/postlog when maillog_file is set. */
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
  if (closedTo(runner, folder, postfix) === null) return null;
  const problem = `${postlog} is not set-gid ${group}, so ${runner.name} does not reach ${socket}`;
  return { problem, command: installCommand(service, { user: `${runner.name}:${group}` }) };
}

/** /var/run/log is a socket on BSD, and a folder of the journal on Linux. */
function syslogObstacle({ postfix }: InstalledService): Obstacle | null {
  const sockets = ['/dev/log', '/var/run/log', '/var/run/syslog'];
  if (sockets.some((file) => fs.statSync(file, { throwIfNoEntry: false })?.isSocket())) return null;
  return {
    problem: 'no syslog daemon listens at /dev/log',
    hint: 'start a syslog daemon, or let Postfix write the file itself',
    command: andReload(postfix, ['postconf', ...postfix.chosen, 'maillog_file=/var/log/postfix.log']),
  };
}
