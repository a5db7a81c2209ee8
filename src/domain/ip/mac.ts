/** A hardware address: 6 bytes (EUI-48). */
export type Mac = Uint8Array;

const MAC = /^[0-9a-fA-F]{2}([:-])(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}$/;

/** Reads `aa:bb:cc:dd:ee:ff` or the same with dashes. */
export function parseMac(text: string): Mac | undefined {
  if (!MAC.test(text)) return undefined;
  return Uint8Array.from(text.split(/[:-]/), (pair) => Number.parseInt(pair, 16));
}

/** Lower case with colons, as Go's net.HardwareAddr.String(). */
export function formatMac(mac: Mac): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
