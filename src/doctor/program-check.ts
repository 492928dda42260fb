// Node.js and the addon as the service user has them, and whether that user reaches the mail log.

import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { type Failure, words as inWords } from '../failure';
import { type Account, runAs } from '../postfix/account';
import { LOG_PROGRAMS } from '../postfix/mail-log';
import { complaintOf, findProgram } from '../postfix/run';
import { closedFile } from '../postfix/trial-run';
import { addonFailure, addonOf } from '../rules/database';
import { type Finding, fail, ok, warn } from './finding';
import type { Patient } from './patient';

const OLDEST_NODE = 20;

/** The words that run the program: those before it in argv=, else what its first line says. */
export const nodeOf = ({ interpreter }: Patient): readonly string[] =>
  interpreter.length > 0 ? interpreter : ['/usr/bin/env', 'node'];

export function* programFindings(patient: Patient, account: Account): Iterable<Finding> {
  const words = nodeOf(patient);
  const node = words.join(' ');
  const closed = closedFile(account, [...patient.interpreter.slice(0, 1), patient.script]);
  if (closed !== null) {
    yield fail('Node.js', closed.problem, closed.hint);
    return;
  }
  const asked = runAs(account, [...words, '-p', 'process.version'], patient.postfix);
  const version = asked.stdout.trim();
  if (asked.status !== 0 || !version.startsWith('v')) {
    yield fail('Node.js', `${account.name} cannot run ${node} (${complaintOf(asked)})`, installNode(node));
    return;
  }
  if (Number.parseInt(version.slice(1), 10) < OLDEST_NODE) {
    yield fail('Node.js', `${node} is ${version}`, installNode(node));
    return;
  }
  yield ok('Node.js', `${node} is ${version}`);
  yield addonFinding(patient, account, version);
}

const installNode = (node: string) =>
  `install Node.js ${OLDEST_NODE} or newer as ${node}, then: allow-nets install`;

/** Loads the addon and says what that threw. */
const LOADER =
  'try{process.dlopen({exports:{}},process.argv[1])}catch(e){console.log(e.message);process.exitCode=1}';

function addonFinding(patient: Patient, account: Account, version: string): Finding {
  const failure = addonFailureOf(patient, account, version);
  if (failure === null) return ok('addon', `better-sqlite3 loads under Node.js ${version}`);
  const { problem, hint } = inWords(failure);
  return fail('addon', problem, hint);
}

/** What loading the addon as the service user throws, or null. */
function addonFailureOf(patient: Patient, account: Account, version: string): Failure | null {
  const addon = addonOf(fs.realpathSync(patient.script));
  const ran = runAs(account, [...nodeOf(patient), '-e', LOADER, addon], patient.postfix);
  if (ran.status === 0) return null;
  return addonFailure(
    addon,
    new Error(ran.stdout.trim().replace(/\s*\n\s*/g, ' ') || complaintOf(ran)),
    version,
  );
}

/** Tries the log programs in the order in which the policy program does. */
export function mailLogFinding({ postfix }: Patient, account: Account): Finding {
  const token = randomBytes(4).toString('hex');
  const line = `doctor: ${account.name} reaches the mail log (${token})`;
  const complaints: string[] = [];
  for (const program of LOG_PROGRAMS) {
    const found = findProgram(program.command);
    if (found === null) continue;
    const ran = runAs(account, [found, ...program.arguments('info')], { ...postfix, input: `${line}\n` });
    if (ran.status !== 0) {
      complaints.push(`${found} fails as ${account.name} (${complaintOf(ran)})`);
      continue;
    }
    const lost = whereLost(postfix.value('maillog_file'), token, program.kind === 'postlog');
    if (lost !== null) {
      complaints.push(`${found} ends well as ${account.name}, but ${lost}`);
      continue;
    }
    if (complaints.length === 0) return ok('mail log', `${found} works as ${account.name}`);
    return warn('mail log', `${complaints[0]}; ${found} works`, postlogRemedy(postfix));
  }
  const message = complaints[0] ?? 'there is neither postlog nor logger';
  return fail('mail log', `${message}: warnings and refusals are lost`, postlogRemedy(postfix));
}

/** Where the line should be and is not; null when it is there, or when that cannot be seen. */
function whereLost(file: string, token: string, isPostlog: boolean): string | null {
  if (!isPostlog) return fs.existsSync('/dev/log') || fs.existsSync('/var/run/log') ? null : 'no syslog runs';
  if (file === '' || !fs.existsSync(file)) return null;
  for (const end = Date.now() + 3000; Date.now() < end; pause(50)) {
    if (tailOf(file).includes(token)) return null;
  }
  return `its line is not in ${file}`;
}

function tailOf(file: string): string {
  const size = 256 * 1024;
  const descriptor = fs.openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(size);
    const start = Math.max(0, fs.fstatSync(descriptor).size - size);
    return buffer.toString('latin1', 0, fs.readSync(descriptor, buffer, 0, size, start));
  } finally {
    fs.closeSync(descriptor);
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function postlogRemedy(postfix: Patient['postfix']): string {
  const postlog = findProgram('postlog') ?? '/usr/sbin/postlog';
  const group = postfix.value('setgid_group') || 'postdrop';
  const setgid = `chgrp ${group} ${postlog} && chmod 2755 ${postlog}`;
  if (postfix.chosen.length === 0) return setgid;
  return `${setgid}; postconf -e 'alternate_config_directories = ${postfix.configDir}'`;
}
