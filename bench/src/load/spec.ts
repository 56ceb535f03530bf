/** What the load generator is told, as JSON in its one argument. */
export interface LoadSpec {
  readonly origin: string;
  /** Requests, one JSON object a line. */
  readonly file: string;
  readonly connections: number;
  /** Which request is sent as the nth. */
  readonly order: 'distinct' | 'nine-of-ten-are-copies';
  /** Not counted. */
  readonly warmMs: number;
  readonly measureMs: number;
  /** Null: each connection sends its next request as soon as it has its reply. */
  readonly ratePerSecond: number | null;
}

/** What it found while it counted, as JSON on its standard output. */
export interface LoadResult {
  readonly acknowledged: number;
  /** Anything but a success. */
  readonly refused: number;
  readonly seconds: number;
  /** From when it was due, so that a late sender does not hide a slow reply. Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}
