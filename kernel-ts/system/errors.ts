/** The one exception that the library throws on purpose. */

/** An image or a set of options that cannot be run: `message` is one clear line, fit to be shown to a user. */
export class BootError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BootError';
  }
}
