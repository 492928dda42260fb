// The lines of a csv or tsv input, taken apart into fields, as rows: which field is what, and what a line looks like that is no row.
import type { Refusal } from '../cli/input';
import { parseNetwork } from '../rules/network';
import { BY_POSITION, COLUMNS, columnName, type Header, headerOf, isHeader } from './columns';
import type { Fields } from './delimited';
import type { Dialect } from './format';
import { refuseLook } from './look';
import type { Sink } from './read';
import type { Values } from './values';

/** psql's last line. */
const FOOTER = /^\((\d+) rows?\)$/;

export class RowReader {
  private header: Header | null = null;
  private rows = 0;
  private readonly isDrawn: boolean;

  constructor(
    private readonly format: 'csv' | 'tsv',
    private readonly dialect: Dialect,
    start: string,
    private readonly sink: Sink,
  ) {
    const refusal = refuseStart(start);
    this.isDrawn = refusal !== null;
    if (refusal !== null) sink.refuse(1, refusal);
  }

  take({ line, fields, problem }: Fields): void {
    const { sink, dialect } = this;
    if (this.isDrawn) return;
    if (problem !== null) {
      sink.refuse(line, problem);
      return;
    }
    // Spreadsheets write empty rows as separators alone, and name the separator in the first line.
    if (fields.every((field) => field?.trim() === '')) return;
    if (line === 1 && /^"?sep=$/i.test(fields[0] ?? '') && fields.every((field, i) => i === 0 || field === '')) return;
    // Under a header that cannot be read, no row can be.
    if (this.header !== null && this.header !== BY_POSITION && this.header.problem !== null) return;
    if (this.header === null && this.takeHeader(line, fields)) return;
    const footer = this.format === 'tsv' && fields.length === 1 ? FOOTER.exec(fields[0] ?? '') : null;
    if (footer !== null) {
      if (Number(footer[1]) !== this.rows) {
        const text = `the footer says ${footer[1]} rows, but ${this.rows} were read`;
        sink.refuse(line, { problem: text, hint: 'read the table again' });
      }
      return;
    }
    this.rows++;
    const header = this.header ?? BY_POSITION;
    const refusal = refuseWidth(fields, header, dialect.separator);
    if (refusal !== null) sink.refuse(line, refusal);
    else sink.take(valuesOf(fields, header), line);
  }

  /** Whether the line is a header. */
  private takeHeader(line: number, fields: Fields['fields']): boolean {
    const { sink } = this;
    const named = isHeader(fields, isNetwork);
    this.header = named ? headerOf(fields) : BY_POSITION;
    const problem = named ? this.header.problem : refuseUnknownHeader(fields);
    if (problem !== null) sink.refuse(line, problem);
    if (!named) return problem !== null;
    for (const name of this.header.unknown) if (name !== '') sink.unknown.add(name);
    sink.hasSets = this.header.places.set >= 0;
    return true;
  }
}

/** What other programs call our columns. */
const OTHER_NAMES =
  /^(?:user_?name|login|e?-?mail|address|account|allow_nets|nets?|networks|ips?|ip_?addr(?:ess)?|cidr)$/;

/** A first line that names columns in other words than ours. */
function refuseUnknownHeader(fields: Fields['fields']): Refusal | null {
  const names = fields.map(columnName);
  const isNamed = names.length > 1 && names.filter((name) => OTHER_NAMES.test(name)).length > 1;
  if (!isNamed && !(names.includes('user') && OTHER_NAMES.test(names[1] ?? ''))) return null;
  return {
    problem: `the columns ${names.join(' and ')} are not known`,
    hint: 'name them user and network, in SQL: select username as user, allow_nets as network; a user who may send from everywhere has the network any',
  };
}

function refuseWidth(fields: Fields['fields'], header: Header, separator: string): Refusal | null {
  const most = header.width ?? COLUMNS.length;
  if (fields.length > header.places.network) {
    if (!fields.slice(most).some((field) => field !== null && field !== '')) return null;
    return (
      refuseLook(fields[0] ?? '') ?? {
        problem: `there are ${fields.length} fields where there should be ${header.width === null ? 'at most ' : ''}${most}`,
        hint: `a field that holds ${JSON.stringify(separator)} must be quoted`,
      }
    );
  }
  const look = refuseLook(fields.join(separator));
  return look ?? { problem: 'there is no network', hint: `a line is user${separator}network` };
}

function valuesOf(fields: Fields['fields'], { places }: Header): Values {
  const at = (place: number): string | null | undefined => {
    if (place < 0 || place >= fields.length) return undefined;
    const field = fields[place];
    return field === '' || field === undefined ? null : field;
  };
  return {
    user: at(places.user),
    network: at(places.network),
    note: at(places.note),
    expires: at(places.expires),
    added_at: at(places.added_at),
    added_by: at(places.added_by),
    set: at(places.set),
    local: at(places.local),
  };
}

function isNetwork(text: string): boolean {
  return parseNetwork(text) !== null || /^\s*(any|inherit|none)\s*$/i.test(text) || /^\s*@\S/.test(text);
}

/** An input that is no list of rows, by how it begins. */
function refuseStart(start: string): Refusal | null {
  if (/\r[^\n]/.test(start) && !start.includes('\n')) {
    const hint =
      "they are CR alone, as spreadsheets for old Macs write them: tr '\\r' '\\n' < FILE | allow-nets import -";
    return { problem: 'the lines do not end as text does here', hint };
  }
  if (/^\s*<(?:!doctype|html|\?xml)/i.test(start)) {
    return { problem: 'this is an HTML or XML page', hint: 'it may be an error page: look into the file' };
  }
  const [first = '', second = ''] = start.split(/\r?\n/, 2);
  if (/^\+(-+\+)+$/.test(first)) {
    return { problem: 'this is a table drawn for people', hint: 'add --batch to the mysql command' };
  }
  if (!/^-+(\+-+)+$/.test(second)) return null;
  return { problem: 'this is a table drawn for people', hint: 'add --csv to the psql command' };
}
