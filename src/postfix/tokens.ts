// Words as Postfix splits them in restriction lists and master.cf: a group in braces stays together, and there are no quotes
// (mystrtokq in Postfix's src/util/mystrtok.c, with CHARS_BRACE).

export interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What separates the words of a restriction list. */
export const COMMA_OR_SPACE = ', \t\r\n';

export function tokensOf(text: string, separators: string): Token[] {
  const tokens: Token[] = [];
  for (let start = 0; start < text.length; ) {
    if (separators.includes(text.charAt(start))) {
      start++;
      continue;
    }
    let end = start;
    for (let level = 0; end < text.length; end++) {
      const character = text.charAt(end);
      if (level === 0 && separators.includes(character)) break;
      if (character === '{') level++;
      else if (character === '}' && level > 0) level--;
    }
    tokens.push({ text: text.slice(start, end), start, end });
    start = end;
  }
  return tokens;
}

export const wordsOf = (text: string, separators: string): string[] =>
  tokensOf(text, separators).map((token) => token.text);
