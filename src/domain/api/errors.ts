/** An object that does not have the shape of its kind. `object` reads "Service default/web"; `path` reads "spec.ports[0].port". */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly object: string;
  readonly path: string;
  constructor(object: string, path: string, message: string) {
    super(`${object}: ${path === '' ? 'it' : path} ${message}`);
    this.object = object;
    this.path = path;
  }
}
