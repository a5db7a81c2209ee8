import { cel, labelSelector, list, object, str } from '../schema.ts';

export const GROUP = 'metallb.io';

/** A status or spec without fields. */
export type Empty = object;
export const EMPTY_SPEC: Empty = Object.freeze({});
export const empty = (about: string) => object({}, about);

/** A list of selectors of which one must match. */
export const anyOfSelectors = (about: string) =>
  list(labelSelector('Selects objects by their labels.'), about);

export const names = (about: string) => list(str(), about);

const IMMUTABLE = cel('self == oldSelf', 'Value is immutable');
/** The three fields by which ServiceL2Status and ServiceBGPStatus say what they are about. */
export const SERVICE_ON_NODE = {
  node: str('Node whose speaker wrote this.', { rules: [IMMUTABLE] }),
  serviceName: str('Name of the announced Service.', { rules: [IMMUTABLE] }),
  serviceNamespace: str('Namespace of the announced Service.', { rules: [IMMUTABLE] }),
};
