/** What a person can do something about: said in one sentence, without a stack. */
export class MigrationRefused extends Error {
  override readonly name = 'MigrationRefused';
}
