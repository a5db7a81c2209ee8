/** One classic BPF instruction, as in Linux' `struct sock_filter`. */
export interface Instruction {
  readonly code: number;
  /** Instructions to skip when the test holds, and when not. */
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const LOAD_HALF = 0x28; // BPF_LD | BPF_H | BPF_ABS
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP_GREATER = 0x25; // BPF_JMP | BPF_JGT | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K

/** Facts about the packet that are not among its bytes live at negative offsets (Linux, SKF_AD_OFF). */
const ANCILLARY = 0xfffff000;
const PACKET_TYPE = ANCILLARY + 4;
const VLAN_TAG_PRESENT = ANCILLARY + 48;
const PACKET_HOST = 0;
const PACKET_BROADCAST = 1; // "for a group" and "for another host" are greater
const PACKET_MULTICAST = 2;

const ETHERNET_IPV4 = 0x0001_0800; // hardware type 1, protocol type 0x0800 (RFC 826)
const SIX_FOUR_REQUEST = 0x0604_0001; // 6-byte hardware and 4-byte protocol addresses, operation 1
const SIX_FOUR_REPLY = 0x0604_0002;
const ICMPV6_UNFORWARDED = (58 << 8) | 255; // next header and hop limit, side by side
const SOLICITATION = 135 << 8; // type and code
const ADVERTISEMENT = 136 << 8;
const ARP_SNAP = 60;
/** Bytes of a frame that are looked at: the checksum of neighbour discovery covers the whole message. */
export const SNAP = 1_514;

/**
 * Lets through ARP requests and replies for IPv4 over Ethernet that are broadcast or sent to this interface's own MAC.
 * Replies are mostly for one host; those for everybody tell who has an address, perhaps one of ours. A
 * frame that still carries a VLAN tag belongs to a VLAN that this machine has no interface for; an answer would
 * leave untagged, so that it is dropped too. Noise thus costs no wake of the process.
 */
export const arpFrames: readonly Instruction[] = [
  { code: LOAD_WORD, jt: 0, jf: 0, k: VLAN_TAG_PRESENT },
  { code: JUMP_EQUAL, jt: 0, jf: 8, k: 0 },
  { code: LOAD_WORD, jt: 0, jf: 0, k: PACKET_TYPE },
  { code: JUMP_GREATER, jt: 6, jf: 0, k: PACKET_BROADCAST },
  { code: LOAD_WORD, jt: 0, jf: 0, k: 14 },
  { code: JUMP_EQUAL, jt: 0, jf: 4, k: ETHERNET_IPV4 },
  { code: LOAD_WORD, jt: 0, jf: 0, k: 18 },
  { code: JUMP_EQUAL, jt: 1, jf: 0, k: SIX_FOUR_REQUEST },
  { code: JUMP_EQUAL, jt: 0, jf: 1, k: SIX_FOUR_REPLY },
  { code: RETURN, jt: 0, jf: 0, k: ARP_SNAP },
  { code: RETURN, jt: 0, jf: 0, k: 0 },
];

/**
 * Lets through neighbour solicitations and advertisements that no router has forwarded (hop limit 255), sent to a group or
 * to this interface's own MAC. VLAN tags as above. A message behind an extension header is none: neighbour discovery has no such.
 */
export const neighbourDiscovery: readonly Instruction[] = [
  { code: LOAD_WORD, jt: 0, jf: 0, k: VLAN_TAG_PRESENT },
  { code: JUMP_EQUAL, jt: 0, jf: 9, k: 0 },
  { code: LOAD_WORD, jt: 0, jf: 0, k: PACKET_TYPE },
  { code: JUMP_EQUAL, jt: 1, jf: 0, k: PACKET_HOST },
  { code: JUMP_EQUAL, jt: 0, jf: 6, k: PACKET_MULTICAST },
  { code: LOAD_HALF, jt: 0, jf: 0, k: 20 },
  { code: JUMP_EQUAL, jt: 0, jf: 4, k: ICMPV6_UNFORWARDED },
  { code: LOAD_HALF, jt: 0, jf: 0, k: 54 },
  { code: JUMP_EQUAL, jt: 1, jf: 0, k: SOLICITATION },
  { code: JUMP_EQUAL, jt: 0, jf: 1, k: ADVERTISEMENT },
  { code: RETURN, jt: 0, jf: 0, k: SNAP },
  { code: RETURN, jt: 0, jf: 0, k: 0 },
];

/** The instructions as the kernel reads them, eight bytes each. */
export function encodeFilter(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, { code, jt, jf, k }] of program.entries()) {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, jt);
    view.setUint8(i * 8 + 3, jf);
    view.setUint32(i * 8 + 4, k, true);
  }
  return bytes;
}
