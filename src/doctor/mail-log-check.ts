// Whether the service user's log lines get to the mail log. Found out without writing one: the log program runs with nothing to say, and the way
// from it to the log is looked at.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Account, closedTo, runAs } from '../postfix/account';
import { LOG_PROGRAMS, type LogProgram } from '../postfix/mail-log';
import { complaintOf, findProgram, shellLine } from '../postfix/run';
import { type Finding, type Fix, fail, ok, warn } from './finding';
import { andReload, type InstalledService, installCommand } from './installed-service';

const CHECK = 'mail log';

interface Obstacle {
  readonly problem: string;
  readonly fix: Fix;
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
    if (obstacle === null && first === null) {
      yield ok(CHECK, `${runner.name} can run ${file}, and its lines get there`);
      return;
    }
    if (obstacle === null && first !== null) {
      yield warn(CHECK, `${first.problem}; ${file} works, and writes where syslog does`, first.fix);
      return;
    }
    first ??= obstacle;
  }
  const { problem, fix } = first ?? { problem: 'there is neither postlog nor logger', fix: {} };
  yield fail(CHECK, `${problem}: warnings and refusals are lost`, fix);
}

function obstacleOf(service: InstalledService, runner: Account, program: LogProgram, file: string): Obstacle | null {
  const { postfix } = service;
  const isPostlog = program.command === 'postlog';
  // Before it runs: a set-gid postlog ends when it is given a configuration that the default instance does not list.
  const obstacle = isPostlog ? (setgidObstacle(service, file) ?? listingObstacle(service, runner, file)) : null;
  if (obstacle !== null) return obstacle;
  if (closedTo(runner, file, postfix) !== null) {
    return {
      problem: `${runner.name} cannot run ${file}`,
      fix: { command: shellLine(['chmod', 'a+rx', file]) },
    };
  }
  const ran = runAs(runner, [file, ...program.words('info')], postfix);
  if (ran.status !== 0) {
    return {
      problem: `${file} fails as ${runner.name} (${complaintOf(ran)})`,
      fix: { advice: `find out why ${file} fails` },
    };
  }
  return isPostlog && postfix.value('maillog_file') !== ''
    ? socketObstacle(service, runner, file)
    : syslogObstacle(service);
}

/** On some systems /var/run/log is a folder, of the journal. */
function syslogObstacle({ postfix }: InstalledService): Obstacle | null {
  const isSocket = (file: string) => fs.statSync(file, { throwIfNoEntry: false })?.isSocket() ?? false;
  if (['/dev/log', '/var/run/log', '/var/run/syslog'].some(isSocket)) return null;
  const words = ['postconf', ...postfix.chosen, 'maillog_file=/var/log/postfix.log'];
  return {
    problem: 'no syslog daemon listens at /dev/log',
    fix: {
      advice: 'start a syslog daemon, or let Postfix write the file itself',
      command: andReload(postfix, words),
    },
  };
}

const isSetgid = (file: string) => (fs.statSync(file).mode & 0o2000) !== 0;

/** Postfix 3.7 made postlog fit for that (RELEASE_NOTES-3.7); before, it lends its group to everybody. */
function setgidObstacle({ postfix }: InstalledService, postlog: string): Obstacle | null {
  const [major = 0, minor = 0] = postfix.version.split('.').map(Number);
  if (!isSetgid(postlog) || major > 3 || (major === 3 && minor >= 7)) return null;
  const problem = `${postlog} is set-gid, which it must not be before Postfix 3.7`;
  return { problem, fix: { command: shellLine(['chmod', 'g-s', postlog]) } };
}

/** Run by an ordinary user, postlog follows MAIL_CONFIG only to a folder that the default instance lists. */
function listingObstacle({ postfix }: InstalledService, runner: Account, postlog: string): Obstacle | null {
  if (!isSetgid(postlog)) return null;
  const known = postfix.listedFolders();
  if (known.includes(postfix.configDir)) return null;
  const [, ...others] = known;
  const list = `alternate_config_directories = ${[...others, postfix.configDir].join(', ')}`;
  const problem = `alternate_config_directories of the default instance does not list ${postfix.configDir}, so postlog run by ${runner.name} does not log for it`;
  return { problem, fix: { command: shellLine(['postconf', '-e', list]) } };
}

/** postlog(1) hands its lines to postlogd(8) at public/postlog when maillog_file is set. */
function socketObstacle(service: InstalledService, runner: Account, postlog: string): Obstacle | null {
  const { postfix } = service;
  const folder = path.join(postfix.queueDir, 'public');
  const socket = path.join(folder, 'postlog');
  if (!fs.existsSync(socket)) {
    const entry = 'postlog/unix-dgram=postlog unix-dgram n - n - 1 postlogd';
    const command = andReload(postfix, ['postconf', ...postfix.chosen, '-M', entry]);
    return { problem: `maillog_file is set, but there is no ${socket}`, fix: { command } };
  }
  const group = postfix.value('setgid_group') || 'postdrop';
  if (!isSetgid(postlog)) {
    if (closedTo(runner, folder, postfix) === null) return listingObstacle(service, runner, postlog);
    const problem = `${postlog} is not set-gid ${group}, so ${runner.name} does not reach ${socket}`;
    return { problem, fix: { command: installCommand(service, { user: `${runner.name}:${group}` }) } };
  }
  if (fs.statSync(postlog).gid === fs.statSync(folder).gid) return null;
  const command = `${shellLine(['chgrp', group, postlog])} && ${shellLine(['chmod', '2755', postlog])}`;
  return { problem: `${postlog} does not have the group of ${folder}`, fix: { command } };
}
