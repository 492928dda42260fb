// allow-nets doctor: finds what is wrong, from Postfix to the last row, and names the command that mends it. Changes nothing, unless --fix-addon
// asks for that; the mail log gets a line, because that is the only way to know that it can.
import { databaseFindings, programFinding } from '../doctor/database-check';
import { type Finding, fail, ok, warn } from '../doctor/finding';
import { fixAddon } from '../doctor/fix-addon';
import { listFindings } from '../doctor/list-check';
import { liveFinding } from '../doctor/live-check';
import { type Patient, patientOf } from '../doctor/patient';
import { mailLogFinding, nodeOf, programFindings } from '../doctor/program-check';
import { serviceFindings } from '../doctor/service-check';
import { failureOf, Trouble, words } from '../failure';
import { ConfigStore } from '../postfix/config-store';
import { servicesOf } from '../postfix/master-cf';
import { allPlaces, valueAt } from '../postfix/places';
import { checksIn } from '../postfix/policy-check';
import { programIndex, spawned } from '../postfix/policy-service';
import { Postfix } from '../postfix/postfix';
import { shellLine } from '../postfix/run';
import type { Arguments, Command } from './command';
import { coloured, columns, flush, printJsonArray, printLine, visible } from './output';
import { CONFIG_DIR, SERVICE, serviceName } from './postfix-options';
import { syncChecks } from './sync-state';

export const doctor: Command = {
  line: 'doctor',
  summary: 'find what is wrong, and how to mend it',
  about: [
    'A line for each check: ok, warn or fail, with the command that mends it; exit status 1 when a check fails. Run as root it tries everything as the service user does, and ends with a real request through the running service.',
  ],
  options: {
    json: { type: 'boolean', describe: 'as a JSON array' },
    'fix-addon': {
      type: 'boolean',
      describe: 'first build the addon anew for the Node.js that runs the program',
    },
    service: SERVICE,
    'config-dir': CONFIG_DIR,
  },
  examples: [
    ['allow-nets doctor', 'look at everything'],
    ['allow-nets doctor --fix-addon', 'after an upgrade of Node.js'],
  ],
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
  if (given.flag('fix-addon')) {
    for (const patient of patients) fixAddon(patient.script, nodeOf(patient));
  }
  if (patients.length === 0) {
    const remedy = shellLine(['allow-nets', 'install', ...postfix.chosen]);
    const name = serviceName(given);
    const asked = allPlaces(store.files).some((place) => checksIn(valueAt(place).text, name).length > 0);
    const loose = asked ? `, but lists ask unix:private/${name}: mail is put off` : '';
    yield fail('service', `no service in master.cf runs this program${loose}`, remedy);
  }
  for (const patient of patients) yield* examinePatient(patient);
}

function patientsIn(given: Arguments, postfix: Postfix, { files }: ConfigStore): Patient[] {
  const wanted = given.text('service') === null ? null : serviceName(given);
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
  yield* listFindings(patient);
  if (account !== null) {
    yield mailLogFinding(patient, account);
    yield programFinding(patient, account);
  }
  if (isRoot) yield await liveFinding(patient);
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function printFinding({ check, status, message, remedy }: Finding): void {
  const cells = columns([status.padEnd(4), check, visible(message)], [4, 24]);
  printLine(status === 'ok' ? cells : coloured(cells, COLOURS[status]));
  if (remedy !== null && status !== 'ok') printLine(`      to mend it: ${visible(remedy)}`);
  flush();
}
