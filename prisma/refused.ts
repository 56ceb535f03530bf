/** A problem that a person can solve: one sentence, without a stack. */
export class MigrationRefused extends Error {
  override readonly name = 'MigrationRefused';
}
