import type { Log } from '@payonce/core/runtime/log';
import type { ReadChangeTokens } from '../reads/change-tokens.js';
import { keyOf, type Topic } from '../reads/topics.js';

/** The interval between looks: short enough for a person, with one statement for all watchers. */
const LOOK_EVERY_MS = 1_000;

export interface LiveHub {
  /** Calls back whenever there is news. @returns stops the watch */
  watch(topic: Topic, onChange: () => void): () => void;
  close(): void;
}

interface Watched {
  readonly topic: Topic;
  /**
   * With the last token of each watcher: null at first, since its page was read before the watch
   * began.
   */
  readonly callbacks: Map<() => void, string | null>;
}

/** Looks for all watchers together, and only while there are any. */
export function createLiveHub(readChangeTokens: ReadChangeTokens, log: Log): LiveHub {
  const watched = new Map<string, Watched>();
  let timer: NodeJS.Timeout | null = null;

  const look = async () => {
    const topics = [...watched.values()].map(({ topic }) => topic);
    const tokens = await readChangeTokens(topics).catch((err) => {
      log.warn({ err }, 'live.check_failed');
      return new Map<string, string>();
    });
    for (const [key, token] of tokens) {
      const { callbacks } = watched.get(key) ?? {};
      for (const [callback, heard] of callbacks ?? []) {
        if (heard === token) continue;
        callbacks?.set(callback, token);
        callback();
      }
    }
    timer = null;
    schedule();
  };
  const schedule = () => {
    if (timer === null && watched.size > 0) timer = setTimeout(look, LOOK_EVERY_MS);
  };

  return {
    watch(topic, onChange) {
      const key = keyOf(topic);
      const one = watched.get(key) ?? { topic, callbacks: new Map() };
      one.callbacks.set(onChange, null);
      watched.set(key, one);
      schedule();
      return () => {
        one.callbacks.delete(onChange);
        if (one.callbacks.size === 0 && watched.get(key) === one) watched.delete(key);
      };
    },
    close() {
      watched.clear();
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
