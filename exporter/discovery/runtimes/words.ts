// Options in a variable of the environment, as the runtimes take them apart.

/** Words between blanks; quotes keep blanks together and are left out: double ones, where `quotes` says so single ones too. */
export function optionWords(text: string, quotes: '"' | "\"'"): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let open: string | undefined;
  for (const character of text) {
    if (character === open) open = undefined;
    else if (open === undefined && quotes.includes(character)) {
      open = character;
      word ??= "";
    } else if (open === undefined && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (word !== undefined) words.push(word);
  return words;
}
