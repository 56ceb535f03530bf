/** Literary words: many readers of this code learned English as a second language. */
export const BANNED_WORDS =
  /\b(?:who(?:m)?ever|anew|for ever|of (?:its|their) own|nought|nobody's way|nor (?:do|does|is|are))\b/gi;
/** The measurement also counts a word that is heavy, but allowed. */
const UNPLAIN = new RegExp(`${BANNED_WORDS.source}|\\bwhatever\\b`, 'gi');

/** The sentences of a Markdown text, without code, tables, headings and links' addresses. */
export function sentences(markdown: string): string[] {
  const prose = markdown
    .replace(/```[\s\S]*?```/g, '')
    .split('\n')
    .filter((line) => !/^\s*(\||#|>|<)/.test(line))
    .join('\n')
    .replace(/`[^`]*`/g, 'code')
    .replace(/\]\([^)]*\)/g, ']');
  return prose
    .split(/\n\s*\n|\n\s*(?:[*-]|\d+\.)\s|(?<=[.!?:;])\s+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => /[a-z]/i.test(sentence));
}

/** Words per sentence: the average, and how many sentences exceed thirty. */
export function prose(markdown: string) {
  const lengths = sentences(markdown).map((sentence) => sentence.split(/\s+/).length);
  const words = lengths.reduce((sum, length) => sum + length, 0);
  return {
    sentences: lengths.length,
    average: lengths.length === 0 ? 0 : Math.round((10 * words) / lengths.length) / 10,
    over30: lengths.filter((length) => length > 30).length,
    unplain: [...markdown.matchAll(UNPLAIN)].length,
  };
}
