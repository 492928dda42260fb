// Checks that log lines of the account reach the mail log, without writing one: it runs the log program with empty
// input and examines the path from there to the log.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Message, shellLine } from '../failure';
import { LOG_PROGRAMS, type LogProgram } from '../policy/mail-log';
import { type Account, runAs, unreadable } from '../postfix/account';
import type { Postfix } from '../postfix/postfix';
import { failureText, findProgram } from '../postfix/run';
import { type Finding, fail, ok, warn } from './finding';
import { type InstalledService, installCommand } from './installed-service';

const CHECK = 'mail log';

/** Tries the log programs in the same order as the policy program. */
export function* mailLogFindings(service: InstalledService): Iterable<Finding> {
  const { runner } = service;
  if (runner === null) return;
  let first: Message | null = null;
  for (const program of LOG_PROGRAMS) {
    const file = findProgram(program.command);
    if (file === null) continue;
    const obstacle = obstacleOf(service, runner, program, file);
    if (obstacle === null) {
      if (first === null) yield ok(CHECK, `the account ${runner.name} can run ${file}, and its lines get there`);
      else yield warn(CHECK, `${first.problem}; ${file} works, and writes where syslog does`, first);
      return;
    }
    first ??= obstacle;
  }
  first ??= { problem: 'there is neither postlog nor logger' };
  yield fail(CHECK, `${first.problem}: warnings and refusals are lost`, first);
}

/** The first obstacle on the way of lines to the log; null if they get there. */
function obstacleOf(service: InstalledService, runner: Account, program: LogProgram, file: string): Message | null {
  const { postfix } = service;
  const isPostlog = program.command === 'postlog';
  const isFile = isPostlog && postfix.value('maillog_file') !== '';
  return (
    // Before postlog runs: it exits if it cannot read main.cf or, from Postfix 3.10 on, if it cannot reach postlogd.
    (isPostlog ? configurationObstacle(postfix, runner, file) : null) ??
    unreadable(runner, [file], postfix) ??
    (isFile ? postlogdObstacle(service, runner, file) : null) ??
    runObstacle(postfix, runner, [file, ...program.words('info')]) ??
    (isFile ? null : syslogObstacle(postfix))
  );
}

const isSetgid = (file: string) => (fs.statSync(file).mode & 0o2000) !== 0;

function configurationObstacle(postfix: Postfix, runner: Account, postlog: string): Message | null {
  const { configDir, version } = postfix;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  // Before Postfix 3.7 a set-gid postlog gives its group to every user (RELEASE_NOTES-3.7).
  if (isSetgid(postlog) && (major < 3 || (major === 3 && minor < 7))) {
    const problem = `${postlog} is set-gid, which it must not be before Postfix 3.7`;
    return { problem, command: shellLine(['chmod', 'g-s', postlog]) };
  }
  const folders = postfix.listedFolders();
  if (isSetgid(postlog) && !folders.includes(configDir)) {
    const list = `alternate_config_directories = ${[...folders.slice(1), configDir].join(', ')}`;
    const problem = `the default instance does not list ${configDir}, so postlog run by the account ${runner.name} does not log for it`;
    return { problem, command: shellLine(['postconf', '-e', list]) };
  }
  const closed = unreadable(runner, [path.join(configDir, 'main.cf')], postfix);
  return closed === null ? null : { ...closed, problem: `${closed.problem}, without which ${postlog} fails` };
}

/** If maillog_file is set, postlogd(8) takes the lines of postlog at public/postlog. */
function postlogdObstacle(service: InstalledService, runner: Account, postlog: string): Message | null {
  const { postfix } = service;
  const folder = path.join(postfix.queueDir, 'public');
  const socket = path.join(folder, 'postlog');
  const group = postfix.value('setgid_group');
  if (!fs.existsSync(socket)) {
    const command = postfix.postconfCommand('-M', 'postlog/unix-dgram=postlog unix-dgram n - n - 1 postlogd');
    return { problem: `maillog_file is set, but there is no ${socket}`, command };
  }
  if (isSetgid(postlog) && fs.statSync(postlog).gid !== fs.statSync(folder).gid) {
    const command = `${shellLine(['chgrp', group, postlog])} && ${shellLine(['chmod', '2755', postlog])}`;
    return { problem: `${postlog} does not have the group of ${folder}`, command };
  }
  if (isSetgid(postlog) || unreadable(runner, [folder], postfix) === null) return null;
  const problem = `${postlog} is not set-gid ${group}, so the account ${runner.name} does not reach ${socket}`;
  return { problem, command: installCommand(service, { user: `${runner.name}:${group}` }) };
}

function runObstacle(postfix: Postfix, runner: Account, words: readonly string[]): Message | null {
  const ran = runAs(runner, words, postfix);
  if (ran.status === 0) return null;
  const command = shellLine(['runuser', '-u', runner.name, '--', ...words]);
  return { problem: `${words[0]} fails as ${runner.name} (${failureText(ran)})`, hint: 'find out why', command };
}

function syslogObstacle(postfix: Postfix): Message | null {
  // Programs on Linux write to /dev/log only, on BSD and macOS to the others.
  const sockets = process.platform === 'linux' ? ['/dev/log'] : ['/var/run/log', '/var/run/syslog'];
  if (sockets.some((one) => fs.statSync(one, { throwIfNoEntry: false })?.isSocket())) return null;
  const hint = 'start a syslog daemon, or let Postfix write the log itself';
  const words = ['postconf', ...postfix.chosen, 'maillog_file=/var/log/postfix.log'];
  // After a reload only master(8) still logs to syslog, so its warnings would be lost (MAILLOG_README: stop and start).
  const command = [postfix.command('stop'), words, postfix.command('start')].map(shellLine).join(' && ');
  return { problem: `no syslog daemon listens at ${sockets.join(' or ')}`, hint, command };
}
