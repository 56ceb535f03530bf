import { anyFreePort } from './ports.js';
import { isOk, type OwnedProcess, type ProgramOptions, startProgram } from './process.js';

export interface RunningApp {
  readonly owned: OwnedProcess;
  readonly port: number;
  readonly url: string;
  /** Of `/readyz` and `/metrics`. */
  readonly privateUrl: string;
}

/** Starts a compiled app on free ports, and waits until it reports that it is ready. */
export async function startApp(
  options: Omit<ProgramOptions, 'output'> & {
    readonly logFile: string;
    /** If it has no `/readyz`. */
    readonly isReady?: (url: string) => Promise<boolean>;
  },
): Promise<RunningApp> {
  const [port, privatePort] = [await anyFreePort(), await anyFreePort()];
  const [url, privateUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${privatePort}`];
  const { isReady = () => isOk(`${privateUrl}/readyz`) } = options;
  const ports = { PAYONCE_PORT: String(port), PAYONCE_PRIVATE_PORT: String(privatePort) };
  const env = { ...ports, ...options.env };
  const owned = await startProgram({ ...options, env, isReady: () => isReady(url) });
  return { owned, port, url, privateUrl };
}
