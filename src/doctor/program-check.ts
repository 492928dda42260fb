// Node.js and the addon as the service user has them.
import * as fs from 'node:fs';
import { type Failure, words as inWords } from '../failure';
import { type Account, runAs } from '../postfix/account';
import { complaintOf } from '../postfix/run';
import { closedFile } from '../postfix/trial-run';
import { addonFailure, packageFolder, versionFailure } from '../rules/addon';
import { type Finding, fail, ok } from './finding';
import type { Patient } from './patient';

const OLDEST_NODE = 20;

/** The words that run the program: those before it in argv=, else what its first line says. */
export const nodeOf = ({ interpreter }: Patient): readonly string[] =>
  interpreter.length > 0 ? interpreter : ['/usr/bin/env', 'node'];

export function* programFindings(patient: Patient, account: Account): Iterable<Finding> {
  const words = nodeOf(patient);
  const node = words.join(' ');
  const closed = closedFile(account, [...patient.interpreter.slice(0, 1), patient.script], patient.postfix);
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

/** Loads better-sqlite3 and says what that threw. */
const LOADER =
  'try{new(require(process.argv[1]))(":memory:")}catch(e){console.log(e.code,e.message);process.exitCode=1}';

function addonFinding(patient: Patient, account: Account, version: string): Finding {
  const failure = addonFailureOf(patient, account, version);
  if (failure === null) return ok('addon', `better-sqlite3 loads under Node.js ${version}`);
  const { problem, hint } = inWords(failure);
  return fail('addon', problem, hint);
}

/** What loading the addon as the service user throws, or null. */
function addonFailureOf(patient: Patient, account: Account, version: string): Failure | null {
  const folder = packageFolder(fs.realpathSync(patient.script));
  const napi = runAs(
    account,
    [...nodeOf(patient), '-p', 'process.versions.napi'],
    patient.postfix,
  ).stdout.trim();
  const failure = versionFailure(folder, { node: version.slice(1), napi });
  if (failure !== null) return failure;
  const words = [...nodeOf(patient), '-e', LOADER, `${folder}/node_modules/better-sqlite3`];
  const ran = runAs(account, words, patient.postfix);
  if (ran.status === 0) return null;
  const message = ran.stdout.trim().replace(/\s*\n\s*/g, ' ') || complaintOf(ran);
  return addonFailure(folder, new Error(message), version);
}
