/** Literary words: many readers of this code learned English as a second language. */
export const BANNED_WORDS =
  /\b(?:who(?:m)?ever|anew|for ever|of (?:its|their) own|nought|nobody's way|nor (?:do|does|is|are))\b/gi;
/** The measurement also counts a word that is heavy, but allowed. */
const UNPLAIN = new RegExp(`${BANNED_WORDS.source}|\\bwhatever\\b`, 'gi');

/** Of paragraphs, items of lists, and cells of tables. Code counts as one word, if at all. */
export function sentences(document: string): string[] {
  const text = document
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`]*`/g, 'code')
    .replace(/\]\([^)]*\)/g, ']');
  const blocks = text.split(/\n\s*\n|\n(?=\s*(?:[*-] |\d+\. |#))|\|/);
  return blocks.flatMap((block) =>
    block
      .replace(/\s+/g, ' ')
      .trim()
      .split(/(?<=[.!?])[)*"]*\s/),
  );
}

export function wordsOf(sentence: string): number {
  return sentence.split(' ').filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

/** Words per sentence: the average, and how many sentences exceed thirty. */
export function prose(markdown: string) {
  const lengths = sentences(markdown).map(wordsOf).filter(Boolean);
  const words = lengths.reduce((sum, length) => sum + length, 0);
  return {
    sentences: lengths.length,
    average: lengths.length === 0 ? 0 : Math.round((10 * words) / lengths.length) / 10,
    over30: lengths.filter((length) => length > 30).length,
    unplain: [...markdown.matchAll(UNPLAIN)].length,
  };
}
