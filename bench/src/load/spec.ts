/** The load generator's parameters, as JSON in its only argument. */
export interface LoadSpec {
  readonly origin: string;
  /** Requests, one JSON object per line. */
  readonly file: string;
  readonly connections: number;
  /** The order of the requests. */
  readonly order: 'distinct' | 'nine-of-ten-are-copies';
  /** Not counted. */
  readonly warmMs: number;
  readonly measureMs: number;
  /** Null: each connection sends its next request as soon as it has its reply. */
  readonly ratePerSecond: number | null;
}

/** The counted results, as JSON on standard output. */
export interface LoadResult {
  readonly acknowledged: number;
  /** Every reply except a success. */
  readonly refused: number;
  readonly seconds: number;
  /** Measured from the due time, so that a late sender does not hide a slow reply. Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}
