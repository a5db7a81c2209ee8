/** Builds route netlink messages as the kernel sends them (native byte order: little-endian). */

export interface LinkSpec {
  readonly index: number;
  readonly name: string;
  readonly mac: readonly number[];
  readonly flags: number;
  readonly master?: number;
  readonly kind?: string;
  /** IFLA_LINK: the link that it lies upon. */
  readonly lower?: number;
  /** Of its kind, IFLA_INFO_DATA; and what kind of part it is of its master. */
  readonly data?: readonly number[];
  readonly partOf?: string;
  /** Absent: the message does not tell. */
  readonly operstate?: number;
  /** Default 0 (AF_UNSPEC) and 16 (RTM_NEWLINK). */
  readonly family?: number;
  readonly type?: number;
  readonly sequence?: number;
}

export function message(o: {
  readonly type: number;
  readonly sequence: number;
  readonly flags?: number;
  readonly body: readonly number[];
}): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((16 + o.body.length) / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 16 + o.body.length, true);
  view.setUint16(4, o.type, true);
  view.setUint16(6, o.flags ?? 0, true);
  view.setUint32(8, o.sequence, true);
  bytes.set(o.body, 16);
  return bytes;
}

export function attribute(type: number, value: readonly number[]): number[] {
  const padding = Array<number>((4 - (value.length % 4)) % 4).fill(0);
  return [...u16(4 + value.length), ...u16(type), ...value, ...padding];
}

export function linkMessage(o: LinkSpec): Uint8Array {
  const info = [
    ...(o.kind === undefined ? [] : attribute(1, [...text(o.kind), 0])),
    ...(o.data === undefined ? [] : attribute(2 | 0x8000, o.data)),
    ...(o.partOf === undefined ? [] : attribute(4, [...text(o.partOf), 0])),
  ];
  const body = [
    o.family ?? 0,
    0,
    ...u16(1),
    ...u32(o.index),
    ...u32(o.flags),
    ...u32(0),
    ...attribute(3, [...text(o.name), 0]),
    ...attribute(1, o.mac),
    ...(o.lower === undefined ? [] : attribute(5, u32(o.lower))),
    ...(o.master === undefined ? [] : attribute(10, u32(o.master))),
    ...(o.operstate === undefined ? [] : attribute(16, [o.operstate])),
    // The nested flag, as the kernel sets it on some attributes.
    ...(info.length === 0 ? [] : attribute(18 | 0x8000, info)),
  ];
  return message({ type: o.type ?? 16, sequence: o.sequence ?? 0, body });
}

/** A notification, or a part of a dump, about an address of a link. */
export function addressMessage(o: {
  readonly index: number;
  readonly address: readonly number[];
  /** Default 64. */
  readonly prefix?: number;
  /** More attributes. */
  readonly more?: readonly number[];
  /** Default 0, 10 (AF_INET6) and 20 (RTM_NEWADDR). */
  readonly flags?: number;
  readonly family?: number;
  readonly type?: number;
  readonly sequence?: number;
}): Uint8Array {
  const head = [o.family ?? 10, o.prefix ?? 64, o.flags ?? 0, 253, ...u32(o.index)];
  // The kernel tells when it was made before (cacheinfo) and after (flags) the address itself.
  const body = [
    ...head,
    ...attribute(6, [0, 0, 0, 0]),
    ...attribute(1, o.address),
    ...(o.more ?? []),
    ...attribute(8, u32(0x80)),
  ];
  return message({ type: o.type ?? 20, sequence: o.sequence ?? 0, body });
}

function text(value: string): number[] {
  return [...Buffer.from(value)];
}

function u16(value: number): number[] {
  return [value & 255, (value >> 8) & 255];
}

function u32(value: number): number[] {
  return [...u16(value & 0xffff), ...u16(value >>> 16)];
}
