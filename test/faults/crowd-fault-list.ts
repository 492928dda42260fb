// The faults that a crowd of clients goes through, one after the other. Each begins and ends with a good database.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { kill } from '../postfix/scratch-folder';
import { waitFor } from '../wait-for';
import type { CrowdSite, List } from './crowd-site';

export interface CrowdFault {
  readonly name: string;
  /** The lists that are in force while it lasts. */
  readonly lists: readonly List[];
  /** Whether an answer may be 451 meanwhile. */
  readonly mayDefer?: boolean;
  /** Only in the long form: in the short one a similar fault stands for it. */
  readonly long?: true;
  /** Makes the fault and ends it. @returns the list in force from then on, or why the fault cannot be made here */
  readonly fault: (site: CrowdSite) => Promise<List | { skipped: string }>;
}

/** How much longer a fault lasts in the long form. */
const LONG = process.env['SOAK'] === '1' ? 3 : 1;

const untilNow = (ms: number) => {
  const end = performance.now() + ms;
  return () => performance.now() < end;
};

/** A fault that lasts until each client has asked during it, and is repaired by a whole new database. */
function harmed(name: string, harm: (db: string) => void, repair: (site: CrowdSite) => void = () => {}): CrowdFault {
  return {
    name,
    lists: ['A', 'B'],
    mayDefer: true,
    async fault(site) {
      for (let round = 0; round < LONG; round++) {
        site.put('A');
        await site.eachAsked();
        harm(site.db);
        await site.eachAsked();
        repair(site);
        site.put('B');
        await site.eachAsked();
      }
      return 'B';
    },
  };
}

/** A writer that holds its lock, with changes that it rolls back in the end: they must never count. */
function locked(kind: 'immediate' | 'exclusive', ms: number, mayDefer: boolean): CrowdFault {
  return {
    name: `a write lock (begin ${kind}) held for ${ms / 1000} s`,
    lists: ['A'],
    mayDefer,
    async fault(site) {
      site.put('A');
      await site.eachAsked();
      const writer = new Database(site.db);
      try {
        // With the smallest cache, so that changes reach the file before the commit.
        if (kind === 'exclusive') writer.pragma('cache_size = 1');
        writer.exec(`begin ${kind}`);
        const holds = untilNow(ms);
        writer.exec("delete from access; insert into access (user, network) values ('*', 'any')");
        while (holds()) await sleep(50);
        writer.exec('rollback');
      } finally {
        writer.close();
      }
      return 'A';
    },
  };
}

export const FAULTS: readonly CrowdFault[] = [
  {
    name: 'no fault',
    lists: ['A'],
    async fault(site) {
      const enough = LONG > 1 ? 40_000 : 500;
      await waitFor('answers', () => site.crowd.answers.length >= enough, site.postfix.log, 3_000_000);
      return 'A';
    },
  },
  {
    name: 'the policy programs are killed with SIGKILL every 50 ms',
    lists: ['A'],
    mayDefer: true,
    async fault(site) {
      let killed = 0;
      for (const goesOn = untilNow(3000 * LONG); goesOn() || killed === 0; await sleep(50)) {
        for (const { pid } of site.programs()) {
          kill(pid, 'SIGKILL');
          killed++;
        }
      }
      return 'A';
    },
  },
  {
    name: 'the list is replaced again and again by import --replace',
    lists: ['A', 'B'],
    mayDefer: true,
    async fault(site) {
      site.put('A');
      let list: List = 'A';
      for (const goesOn = untilNow(5000 * LONG); goesOn(); ) {
        list = list === 'A' ? 'B' : 'A';
        await site.import(list);
        const done = performance.now();
        await sleep(200);
        const next = performance.now();
        // Between two imports one list alone counts.
        for (const { ask, code, text, begun, ended } of site.crowd.since(done)) {
          if (begun < done || ended > next) continue;
          assert.equal(code, ask.right[list], `after the import of ${list}: ${ask.user} ${ask.address}: ${text}`);
        }
      }
      return list;
    },
  },
  locked('immediate', 1000, false),
  { ...locked('immediate', 5000, false), long: true },
  locked('exclusive', 1000, true),
  locked('exclusive', 5000, true),
  {
    name: 'another file is renamed over the database again and again',
    lists: ['A', 'B'],
    async fault(site) {
      let list: List = 'A';
      for (const goesOn = untilNow(3000 * LONG); goesOn(); await sleep(20)) {
        list = list === 'A' ? 'B' : 'A';
        site.put(list);
      }
      return list;
    },
  },
  harmed('the file is removed', (db) => fs.rmSync(db)),
  harmed('the file is cut to half', (db) => fs.truncateSync(db, fs.statSync(db).size / 2)),
  { ...harmed('the file is emptied', (db) => fs.truncateSync(db)), long: true },
  harmed('the file is filled with noise', (db) => fs.writeFileSync(db, Buffer.alloc(fs.statSync(db).size, 'noise'))),
  harmed('the file may not be read', (db) => fs.chmodSync(db, 0o600)),
  harmed(
    'the folder may not be entered',
    (db) => fs.chmodSync(path.dirname(db), 0o700),
    ({ folder }) => fs.chmodSync(folder, 0o755),
  ),
  {
    name: 'the disk is full, and a change fails',
    lists: ['A', 'B'],
    async fault(site) {
      if (site.noDisk !== null) return { skipped: site.noDisk };
      site.put('A');
      let list: List = 'A';
      const filler = `${site.folder}/filler`;
      for (let tries = 0; ; tries++) {
        fill(filler);
        // Space is freed when programs close the files that were renamed over.
        const other: List = list === 'A' ? 'B' : 'A';
        const failed: string | null = await site.import(other).then(() => null, String);
        if (failed !== null) {
          assert.match(failed, /no room on the disk/);
          break;
        }
        list = other;
        assert.ok(tries < 20, 'the disk is never full');
      }
      await site.eachAsked();
      fs.rmSync(filler);
      return list;
    },
  },
  {
    name: 'the disk has room again, and the same change counts',
    lists: ['A', 'B'],
    async fault(site) {
      if (site.noDisk !== null) return { skipped: site.noDisk };
      await site.import('B');
      return 'B';
    },
  },
];

/** Writes until there is no room for one byte more. */
function fill(file: string): void {
  const descriptor = fs.openSync(file, 'a');
  try {
    for (let size = 2 ** 20; size >= 1; ) {
      try {
        fs.writeSync(descriptor, Buffer.alloc(size));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
        size = Math.floor(size / 2);
      }
    }
  } finally {
    fs.closeSync(descriptor);
  }
}
