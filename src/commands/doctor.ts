// allow-nets doctor: finds what is wrong, from Postfix to the last row, and names the command that mends it. Changes nothing. The request through the running service is logged only where --log all has every request logged.

import type { Arguments, Command } from '../cli/command';
import { coloured, columns, flush, printJsonArray, printLine, visible } from '../cli/output';
import { databaseFindings, programFinding } from '../doctor/database-check';
import { type Finding, fail, ok, warn } from '../doctor/finding';
import { type Asking, listFindings } from '../doctor/list-check';
import { liveFinding } from '../doctor/live-check';
import { mailLogFinding } from '../doctor/mail-log-check';
import { installCommand, type Patient, patientOf, targetOf } from '../doctor/patient';
import { policyHostFindings, policyHostsIn, remedyByHand } from '../doctor/policy-host-check';
import { programFindings } from '../doctor/program-check';
import { serviceFindings } from '../doctor/service-check';
import { failureOf, Trouble, words } from '../failure';
import { ConfigStore } from '../postfix/config-store';
import { servicesOf } from '../postfix/master-cf';
import { allPlaces, valueAt } from '../postfix/places';
import { attributesOf, checksIn, isCheckOf } from '../postfix/policy-check';
import { programIndex, spawned } from '../postfix/policy-service';
import { Postfix } from '../postfix/postfix';
import { CONFIG_DIR, SERVICE } from '../postfix/postfix-options';
import { shellLine } from '../postfix/run';
import { policyTargets } from '../postfix/service-view';
import { syncChecks } from '../sync/state';

export const doctor: Command = {
  line: 'doctor',
  summary: 'find what is wrong, and how to mend it',
  about: [
    'A line for each check: ok, warn or fail, with the command that mends it; exit status 1 when a check fails. Run as root it tries everything as the service user does, and ends with a real request through the running service. It changes nothing.',
    'On a server that asks a policy host, check_policy_service inet:HOST:10031, and has no service of its own it asks that host; --service HOST:PORT names one on another port.',
  ],
  options: {
    json: { type: 'boolean', describe: 'as a JSON array' },
    service: SERVICE,
    'config-dir': CONFIG_DIR,
  },
  examples: [['allow-nets doctor', 'look at everything']],
  async run(given) {
    const findings: Finding[] = [];
    const json = given.flag('json');
    for await (const finding of examine(given)) {
      findings.push(finding);
      if (!json) printFinding(finding);
    }
    if (json) printJsonArray(findings);
    return findings.some(({ status }) => status === 'fail') ? 1 : 0;
  },
};

async function* examine(given: Arguments): AsyncIterable<Finding> {
  let postfix: Postfix;
  let store: ConfigStore;
  try {
    postfix = new Postfix(given.text('config-dir'));
    store = new ConfigStore(postfix.configDir);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    const { problem, hint } = words(failureOf(error));
    yield fail('Postfix', problem, hint);
    return;
  }
  yield ok('Postfix', `version ${postfix.version}, ${postfix.configDir}`);
  const patients = patientsIn(given, postfix, store);
  const hosts = policyHostsIn(store.files, given.text('service'));
  if (patients.length === 0 && hosts.length === 0) yield missingService(given, postfix, store);
  for (const patient of patients) yield* examinePatient(patient);
  for (const host of hosts) {
    if (!patients.some((patient) => isCheckOf(targetOf(patient), host)))
      yield* policyHostFindings(postfix, store.files, host);
  }
}

function missingService(given: Arguments, postfix: Postfix, { files }: ConfigStore): Finding {
  const remedy = shellLine(['allow-nets', 'install', ...postfix.chosen]);
  const name = given.text('service') ?? 'allow-nets';
  const asked = allPlaces(files).some((place) => checksIn(valueAt(place).text, name).length > 0);
  const loose = asked ? `, but lists ask unix:private/${name}: mail is put off` : '';
  const others = policyTargets(files).map((target) => attributesOf(target)[0]);
  const hosts = others.filter((target) => target?.toLowerCase().startsWith('inet:'));
  const host =
    hosts.length > 0 ? `; if ${hosts.join(' or ')} is a policy host: doctor --service HOST:PORT` : '';
  return fail('service', `no service in master.cf runs this program${loose}${host}`, remedy);
}

function patientsIn(given: Arguments, postfix: Postfix, { files }: ConfigStore): Patient[] {
  const wanted = given.text('service');
  return servicesOf(files.master).flatMap((entry) => {
    const policy = spawned(entry);
    if (policy === null || programIndex(policy.argv) < 0) return [];
    return wanted === null || entry.name === wanted ? [patientOf(postfix, files, entry, policy)] : [];
  });
}

async function* examinePatient(patient: Patient): AsyncIterable<Finding> {
  yield* serviceFindings(patient);
  const isRoot = process.getuid?.() === 0;
  const account = isRoot ? patient.account : null;
  if (!isRoot) yield warn('root', 'without root little can be tried', 'sudo allow-nets doctor');
  if (account !== null) yield* programFindings(patient, account);
  yield* databaseFindings(patient, account);
  for (const { level, text, remedy } of syncChecks(patient.db, Date.now())) {
    yield { check: 'sync', status: level, message: text, remedy };
  }
  if (patient.entry.type !== 'inet' || asksItself(patient)) yield* listFindings(askingOf(patient));
  if (account !== null) {
    yield mailLogFinding(patient.postfix, account);
    yield programFinding(patient, account);
  }
  if (isRoot) yield await liveFinding(patient);
}

const askingOf = (patient: Patient): Asking => ({
  postfix: patient.postfix,
  files: patient.files,
  target: targetOf(patient),
  persistent: patient.options.persistent,
  remedy:
    patient.entry.type === 'inet'
      ? remedyByHand(patient.postfix, targetOf(patient))
      : (changes) => installCommand(patient, changes),
});

/** Whether a policy host asks its own service too; the others do it over the network, which cannot be seen from here. */
const asksItself = (patient: Patient) =>
  policyTargets(patient.files).some((target) => isCheckOf(targetOf(patient), target));

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function printFinding({ check, status, message, remedy }: Finding): void {
  const cells = columns([status.padEnd(4), check, visible(message)], [4, 24]);
  printLine(status === 'ok' ? cells : coloured(cells, COLOURS[status]));
  if (remedy !== null && status !== 'ok') printLine(`      to mend it: ${visible(remedy)}`);
  flush();
}
