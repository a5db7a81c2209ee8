import type { Mac } from '../../domain/ip/mac.ts';
import type { Announced, Announcement, Face } from './announced.ts';

/** Somebody on the link says that an address of ours is at a MAC that is not. */
export interface Other {
  readonly announcement: Announcement;
  readonly mac: Mac;
}

/** What it takes to tell ourselves from somebody else. */
export interface Whose {
  readonly face: Face;
  readonly announced: Announced;
  /** Whether any interface of this machine has the MAC: what goes out by one may come in by another. */
  readonly isOwn: (mac: Mac) => boolean;
}

/** The MAC at an offset of a frame; undefined where no other host can have it: one of our own, a group's, or none at all. */
export function foreignMac(frame: Uint8Array, at: number, { face, isOwn }: Whose): Mac | undefined {
  // Not slice: on a Buffer that would be a view of the frame, which the next one overwrites.
  const mac: Mac = new Uint8Array(frame.subarray(at, at + 6));
  const group = ((mac[0] ?? 0) & 1) !== 0;
  if (group || mac.every((byte) => byte === 0) || mac.every((byte, i) => byte === face.mac[i]))
    return undefined;
  return isOwn(mac) ? undefined : mac;
}
