/** Loaded on demand: the library needs a polyfill that changes a global object. */
export async function loadX509() {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}
