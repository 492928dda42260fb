// Two lists, A and B, and who asks: some are allowed by both, some by neither, some by one of them; half of all asks are to be refused
// by each list. Every kind of entry is among them: users, domains, everybody, sets, both families, expired ones.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PolicySetUp } from '../postfix/policy-set-up';
import type { Ask } from './crowd';

const BOTH: readonly string[] = [
  'alice@example.com,192.0.2.0/24',
  'alice@example.com,2001:db8:1::/48',
  '@example.org,198.51.100.0/25',
  'carol,any',
  'dave@example.com,@office',
];
const ONLY = {
  A: ['bob@example.com,203.0.113.0/24', 'erin@example.com,10.0.0.0/8'],
  B: ['bob@example.com,2001:db8:b::/48', 'erin@example.com,172.16.0.0/12'],
};

const allowed = { A: 250, B: 250 } as const;
const refused = { A: 554, B: 554 } as const;

export const ASKS: readonly Ask[] = [
  { user: 'alice@example.com', address: '192.0.2.9', right: allowed },
  { user: 'alice@example.com', address: '203.0.113.9', right: refused },
  { user: 'ALICE@example.com', address: '2001:db8:1::9', right: allowed },
  { user: 'alice@example.com', address: '2001:db8:2::9', right: refused },
  { user: 'bob@example.com', address: '203.0.113.77', right: { A: 250, B: 554 } },
  { user: 'bob@example.com', address: '2001:db8:b::77', right: { A: 554, B: 250 } },
  { user: 'someone@example.org', address: '198.51.100.1', right: allowed },
  { user: 'someone@example.org', address: '198.51.100.200', right: refused },
  { user: 'carol@example.com', address: '10.9.8.7', right: allowed },
  { user: 'nobody-at-all', address: '192.0.2.9', right: refused },
  { user: 'erin@example.com', address: '10.1.2.3', right: { A: 250, B: 554 } },
  { user: 'erin@example.com', address: '172.16.1.2', right: { A: 554, B: 250 } },
  { user: 'dave@example.com', address: '192.0.2.130', right: allowed },
  { user: 'dave@example.com', address: '192.0.2.1', right: refused },
];

export interface Lists {
  /** Databases that hold each list, to be copied. */
  readonly databases: Readonly<Record<'A' | 'B', string>>;
  /** CSV files for `import --replace`. */
  readonly files: Readonly<Record<'A' | 'B', string>>;
}

/** Writes both lists into the set-up's folder, each as a database and as a CSV file; list A into the set-up's database too. */
export function writeLists(policy: PolicySetUp, rows = 300): Lists {
  const at = (name: string) => join(policy.folder, name);
  const files = { A: at('a.csv'), B: at('b.csv') };
  const databases = { A: at('a.db'), B: at('b.db') };
  for (const list of ['B', 'A'] as const) {
    // Enough others for the file to have some pages and an import some time to take.
    const others = Array.from({ length: rows }, (_, i) => `${list}${i}@example.net,10.${i % 256}.0.0/16`);
    writeFileSync(files[list], `${['user,network', ...BOTH, ...ONLY[list], ...others].join('\n')}\n`);
    for (const db of [databases[list], policy.db]) {
      policy.allowNets('init', '--db', db);
      policy.allowNets('set', 'add', 'office', '192.0.2.128/25', '--db', db);
      policy.allowNets('import', files[list], '--replace', '--force', '--db', db);
    }
  }
  return { databases, files };
}
