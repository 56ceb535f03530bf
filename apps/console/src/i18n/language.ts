import type { Language } from './translate.js';

/** The language that the person chose with the switch, or the browser's first one that we have. */
export function languageOf(
  chosen: string | undefined,
  acceptLanguage: string | undefined,
): Language {
  if (chosen === 'en' || chosen === 'zh-CN') return chosen;
  for (const tag of preferred(acceptLanguage ?? '')) {
    if (tag.startsWith('zh')) return 'zh-CN';
    if (tag.startsWith('en')) return 'en';
  }
  return 'en';
}

/**
 * Language tags in lower case, the most wanted first (RFC 9110, 12.5.4). Ignores all beyond ten.
 */
function preferred(header: string): string[] {
  const wanted = header
    .slice(0, 256)
    .split(',', 10)
    .map((part) => {
      const [tag = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      const quality = parameters.find((text) => text.startsWith('q='))?.slice(2) ?? '1';
      return { tag, quality: Number(quality) || 0 };
    });
  return wanted
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag);
}
