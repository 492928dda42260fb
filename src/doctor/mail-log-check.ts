// Whether the service user's log lines get to the mail log. Found out without writing one: the log program runs with nothing to say, and the way
// from it to the log is looked at.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Account, closedTo, runAs } from '../postfix/account';
import { LOG_PROGRAMS } from '../postfix/mail-log';
import type { Postfix } from '../postfix/postfix';
import { complaintOf, findProgram, shellLine } from '../postfix/run';
import { type Finding, fail, ok, warn } from './finding';

const CHECK = 'mail log';

interface Obstacle {
  readonly problem: string;
  readonly remedy: string;
}

/** Tries the log programs in the order in which the policy program does. */
export function mailLogFinding(postfix: Postfix, account: Account): Finding {
  let first: Obstacle | null = null;
  for (const program of LOG_PROGRAMS) {
    const found = findProgram(program.command);
    if (found === null) continue;
    const obstacle =
      startObstacle(postfix, account, [found, ...program.arguments('info')]) ??
      (program.kind === 'postlog' ? postlogObstacle(postfix, account, found) : syslogObstacle());
    if (obstacle !== null) {
      first ??= obstacle;
      continue;
    }
    if (first === null) return ok(CHECK, `${account.name} can run ${found}, and its lines get there`);
    return warn(CHECK, `${first.problem}; ${found} works, and writes where syslog does`, first.remedy);
  }
  const { problem, remedy } = first ?? { problem: 'there is neither postlog nor logger', remedy: null };
  return fail(CHECK, `${problem}: warnings and refusals are lost`, remedy);
}

function startObstacle(postfix: Postfix, account: Account, words: readonly string[]): Obstacle | null {
  const [program = ''] = words;
  const ran = runAs(account, words, postfix);
  if (ran.status === 0) return null;
  return {
    problem: `${program} fails as ${account.name} (${complaintOf(ran)})`,
    remedy: `chmod a+x ${program}`,
  };
}

function syslogObstacle(): Obstacle | null {
  if (['/dev/log', '/var/run/log', '/var/run/syslog'].some((file) => fs.existsSync(file))) return null;
  return {
    problem: 'no syslog daemon listens at /dev/log',
    remedy: 'start one, or: postconf maillog_file=/var/log/postfix.log && postfix reload',
  };
}

/** postlog(1) hands its lines to postlogd(8) at public/postlog when maillog_file is set, else to syslog. */
function postlogObstacle(postfix: Postfix, account: Account, postlog: string): Obstacle | null {
  if (postfix.value('maillog_file') === '') return syslogObstacle();
  const folder = path.join(postfix.queueDir, 'public');
  const socket = path.join(folder, 'postlog');
  if (!fs.existsSync(socket)) {
    return {
      problem: `maillog_file is set, but there is no ${socket}`,
      remedy: `put into master.cf: postlog unix-dgram n - n - 1 postlogd; then: ${shellLine(['postfix', ...postfix.chosen, 'start'])}`,
    };
  }
  const group = postfix.value('setgid_group') || 'postdrop';
  const setgid = `chgrp ${group} ${postlog} && chmod 2755 ${postlog}`;
  if ((fs.statSync(postlog).mode & 0o2000) === 0) {
    if (closedTo(account, folder, postfix) === null) return null;
    const problem = `${postlog} is not set-gid ${group}, so ${account.name} does not reach ${socket}`;
    return { problem, remedy: [setgid, ...listing(postfix)].join('; ') };
  }
  if (fs.statSync(postlog).gid !== fs.statSync(folder).gid)
    return { problem: `${postlog} has not the group of ${folder}`, remedy: setgid };
  const [list] = listing(postfix);
  if (list === undefined) return null;
  const problem = `alternate_config_directories of the default instance does not list ${postfix.configDir}, so postlog run by ${account.name} does not log for it`;
  return { problem, remedy: list };
}

/** What lists another instance's folder with the default one, unless that has been done. */
function listing(postfix: Postfix): string[] {
  const known = postfix.listedFolders();
  if (known.includes(postfix.configDir)) return [];
  const [, ...others] = known;
  return [`postconf -e 'alternate_config_directories = ${[...others, postfix.configDir].join(', ')}'`];
}
