// allow-nets set load: makes a set equal to a published list of networks.

import { type Command, DRY_RUN, flag } from '../cli/command';
import { parseSetArgument } from '../cli/input';
import { openInput } from '../cli/input-file';
import { hintAll } from '../cli/output';
import { mergeRanges, networksOf } from '../cli/range';
import { blocksOf } from '../formats/lines';
import { load, printLoaded, type Reader } from '../formats/load';
import { rangesOf } from '../formats/network-list';
import type { Connection } from '../rules/database';
import { importRow } from '../rules/import';
import { formatInstant } from '../rules/meaning';
import { formatNetwork } from '../rules/network';
import { hintAtSync } from '../sync/status';

export const setLoad: Command = {
  line: 'set load <name> <file>',
  summary: 'make a set equal to a published list',
  about: [
    'The list holds networks, addresses or ranges (FIRST - LAST), one a line, with comments after # or ;. Or it is CSV with FIRST,LAST,COUNTRY; a statistics file of a regional registry; or JSON with networks as text. Neighbouring and contained networks are merged.',
    'All or nothing, and only what differs is written. Without --force it refuses to remove more than half of the set, an empty list, and one without a line break at the end.',
  ],
  positionals: { name: 'name of the set, with or without @', file: 'file to read, or - for standard input' },
  options: {
    country: {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'only networks of this country (ISO 3166, two letters); may be repeated',
    },
    'dry-run': DRY_RUN,
    force: flag('even if most networks would go, or the list is empty or cut off'),
  },
  examples: [
    ['allow-nets set load home --country DE delegated-ripencc-latest', 'then: allow-nets add @example.com @home'],
  ],
  async run(args) {
    const name = parseSetArgument(args.text('name') ?? '');
    const file = args.text('file') ?? '-';
    const dryRun = args.flag('dry-run');
    const force = args.flag('force');
    const countries = args.texts('country').map((country) => country.toUpperCase());
    const wide: string[] = [];
    const read: Reader = (lines, report, add) => {
      const ranges = rangesOf(lines, { countries, force }, report);
      for (const network of mergeRanges(ranges).flatMap(networksOf)) {
        // Nearly always a mistake in the list. A country can really hold neighbouring networks of that size.
        if (countries.length === 0 && network.prefix < (network.family === 4 ? 8 : 16))
          wide.push(formatNetwork(network));
        add(importRow('network_set', name, { kind: 'network', network }));
      }
    };
    const source = [file === '-' ? 'standard input' : file, ...countries].join(' ');
    const before = (connection: Connection) =>
      connection
        .prepare('insert or replace into set_source (name, source, loaded_at) values (?, ?, ?)')
        .run(name, source, formatInstant(Date.now()));
    const blocks = blocksOf(openInput(file));
    const loaded = await load(args.db, { blocks, replace: true, dryRun, force, set: name, before }, read);
    hintAll(wide.map((network) => `${network} is a large part of the Internet; is it meant to be in the list?`));
    const status = printLoaded(loaded, dryRun);
    if (status === 0 && !dryRun) hintAtSync(args.db, 'takes this set away if its list has sets and not this one');
    return status;
  },
};
