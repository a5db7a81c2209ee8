/** One classic BPF instruction, as in Linux' `struct sock_filter`. */
export interface Instruction {
  readonly code: number;
  /** Instructions to skip when the test holds, and when not. */
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP_GREATER = 0x25; // BPF_JMP | BPF_JGT | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K

/** Facts about the packet that are not among its bytes live at negative offsets (Linux, SKF_AD_OFF). */
const ANCILLARY = 0xfffff000;
const PACKET_TYPE = ANCILLARY + 4;
const VLAN_TAG_PRESENT = ANCILLARY + 48;
const PACKET_BROADCAST = 1; // PACKET_HOST is 0; multicast and "for another host" are greater

const ETHERNET_IPV4 = 0x0001_0800; // hardware type 1, protocol type 0x0800 (RFC 826)
const SIX_FOUR_REQUEST = 0x0604_0001; // 6-byte hardware and 4-byte protocol addresses, operation 1
const SNAP_LENGTH = 60;

/**
 * Lets through ARP requests for IPv4 over Ethernet that are broadcast or sent to this interface's own MAC. A
 * frame that still carries a VLAN tag belongs to a VLAN that this machine has no interface for; an answer would
 * leave untagged, so that it is dropped too. Noise thus costs no wake of the process.
 */
export const arpRequests: readonly Instruction[] = [
  { code: LOAD_WORD, jt: 0, jf: 0, k: VLAN_TAG_PRESENT },
  { code: JUMP_EQUAL, jt: 0, jf: 7, k: 0 },
  { code: LOAD_WORD, jt: 0, jf: 0, k: PACKET_TYPE },
  { code: JUMP_GREATER, jt: 5, jf: 0, k: PACKET_BROADCAST },
  { code: LOAD_WORD, jt: 0, jf: 0, k: 14 },
  { code: JUMP_EQUAL, jt: 0, jf: 3, k: ETHERNET_IPV4 },
  { code: LOAD_WORD, jt: 0, jf: 0, k: 18 },
  { code: JUMP_EQUAL, jt: 0, jf: 1, k: SIX_FOUR_REQUEST },
  { code: RETURN, jt: 0, jf: 0, k: SNAP_LENGTH },
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
