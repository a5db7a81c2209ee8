import { addressBytes, addressFromBytes, formatAddress, parseAddress } from '../../domain/ip/address.ts';

/** Where a member listens, for packets and streams alike. */
export interface Endpoint {
  /** Canonical text. */
  readonly address: string;
  readonly port: number;
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address;
}

/** `192.0.2.7:7946`, `[2001:db8::7]:7946`. */
export function endpointText({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** 4 or 16 bytes; empty when the text is no address. */
export function packAddress(text: string): Uint8Array {
  const address = parseAddress(text);
  return address ? addressBytes(address) : new Uint8Array();
}

/** Undefined unless there are 4 or 16 bytes. An IPv4-mapped IPv6 address is the IPv4 address, as in Go. */
export function unpackAddress(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return undefined;
  const mapped = bytes.subarray(0, 10).every((b) => b === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return mapped ? bytes.subarray(12).join('.') : formatAddress(addressFromBytes(bytes));
}

/** Whether a host can have the address: neither unspecified nor of a group. */
export function isUnicast(address: string): boolean {
  const [first = 0] = packAddress(address);
  if (address.includes(':')) return first !== 0xff && address !== '::';
  return first !== 0 && first < 224;
}
