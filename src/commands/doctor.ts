// allow-nets doctor: diagnoses the installation, from Postfix to the rows of the database, and prints the fixes. It
// changes nothing. Its requests to the running service leave one line in the mail log: the refusal of a made-up user.

import { type Arguments, type Command, flag } from '../cli/command';
import { flush, print, printJsonArray, printLine } from '../cli/output';
import { hostExamination, serviceExamination } from '../doctor/checks';
import { asJson, type Finding, fail, ok } from '../doctor/finding';
import { installedService } from '../doctor/installed-service';
import { policyHostsIn } from '../doctor/policy-host-check';
import { asFixLines, type Fix, printable, Trouble } from '../failure';
import { ConfigStore } from '../postfix/config-store';
import { entriesOf, servicesOf } from '../postfix/config-text';
import type { ConfigFiles } from '../postfix/configuration';
import { isCheckOf } from '../postfix/policy-check';
import { policyServiceOf } from '../postfix/policy-service';
import { Postfix } from '../postfix/postfix';
import { CONFIG_DIR, SERVICE } from '../postfix/postfix-options';
import { policyTargets } from '../postfix/restrictions';

export const doctor: Command = {
  line: 'doctor',
  summary: 'diagnose the installation and print the fixes',
  about: [
    'A line for each check: ok, warn or fail, with the command that fixes it on a line of its own; exit status 1 when a check fails. Run as root it tries everything as the service user does, and ends with real requests through the running service, one of which is refused and logged. It changes nothing.',
    'On a server that asks a policy host, check_policy_service inet:HOST:10031, and has no service of its own it asks that host; --service HOST:PORT names one on another port.',
  ],
  options: {
    json: flag('as a JSON array'),
    service: SERVICE,
    'config-dir': CONFIG_DIR,
  },
  examples: [['allow-nets doctor', 'check everything']],
  async run(args) {
    const findings: Finding[] = [];
    const json = args.flag('json');
    for await (const finding of examine(args)) {
      if (!json) printFinding(finding, findings);
      findings.push(finding);
    }
    if (json) printJsonArray(findings.map(asJson));
    return findings.some(({ status }) => status === 'fail') ? 1 : 0;
  },
};

async function* examine(args: Arguments): AsyncIterable<Finding> {
  let postfix: Postfix;
  let files: ConfigFiles;
  try {
    postfix = new Postfix(args.text('config-dir'));
    files = new ConfigStore(postfix.configDir).files;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    yield fail('Postfix', error.message, error.failure);
    return;
  }
  yield ok('Postfix', `version ${postfix.version}, ${postfix.configDir}`);
  const wanted = args.text('service');
  const services = servicesOf(files.master)
    .filter(({ name }) => wanted === null || name === wanted)
    .flatMap((entry) => installedService(postfix, files, entry) ?? []);
  const hosts = policyHostsIn(files, wanted);
  if (services.length === 0 && hosts.length === 0) yield missingService(wanted, postfix, files);
  for (const service of services) yield* serviceExamination(service);
  for (const host of hosts) {
    const isOwn = services.some(({ target }) => isCheckOf(target, host));
    if (!isOwn) yield* hostExamination({ postfix, files, target: host, policy: null });
  }
}

function missingService(wanted: string | null, postfix: Postfix, files: ConfigFiles): Finding {
  const hidden = entriesOf(files.master).find((entry) => policyServiceOf(entry) !== null);
  if (hidden !== undefined && wanted === null) {
    const message = `master.cf has several entries ${hidden.name}/${hidden.type}; Postfix uses the last, which does not run this program`;
    return fail('service', message, postfix.manualFix('delete the entry that is not wanted from master.cf'));
  }
  const name = wanted ?? 'allow-nets';
  const isAsked = policyTargets(files).some((target) => isCheckOf(name, target));
  const effect = isAsked ? `, but lists ask unix:private/${name}: mail is deferred` : '';
  const words = [...(isAsked ? [] : ['--trial']), ...(name === 'allow-nets' ? [] : ['--service', name])];
  const command = postfix.ownCommand('install', ...words);
  return fail('service', `no service in master.cf runs this program${effect}`, { command });
}

const COLOURS = { ok: null, warn: 'yellow', fail: 'red' } as const;

/** `earlier`: the findings printed before; a fix that they have is not repeated. */
function printFinding({ check, status, message, fix }: Finding, earlier: readonly Finding[]): void {
  const cells = `${status.padEnd(4)}  ${check.padEnd(26)}  ${printable(message)}`;
  printLine(cells, COLOURS[status]);
  const linesOf = (one: Fix) => asFixLines(one, '      fix:', '        ');
  const lines = linesOf(fix);
  const same = earlier.find((one) => one.fix.command != null && linesOf(one.fix) === lines);
  print(same === undefined ? lines : `      fix: as for "${same.check}" above\n`);
  flush();
}
