import type { Instruction } from './filter.ts';

/** What the kernel knows of a packet beside its bytes. */
export interface Facts {
  readonly packetType: number;
  readonly vlanTag: boolean;
}

/** Runs a classic BPF program as the kernel does, for the instructions that our filters use: bytes to keep, 0 for none. */
export function runFilter(program: readonly Instruction[], packet: Uint8Array, facts: Facts): number {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  let accumulator = 0;
  for (let at = 0; at < program.length; at++) {
    const step = program[at];
    if (!step) break;
    switch (step.code) {
      case 0x20:
        if (step.k === 0xfffff000 + 4) accumulator = facts.packetType;
        else if (step.k === 0xfffff000 + 48) accumulator = facts.vlanTag ? 1 : 0;
        else if (step.k + 4 > packet.length) return 0;
        else accumulator = view.getUint32(step.k);
        break;
      case 0x28:
        if (step.k + 2 > packet.length) return 0;
        accumulator = view.getUint16(step.k);
        break;
      case 0x15:
        at += accumulator === step.k ? step.jt : step.jf;
        break;
      case 0x25:
        at += accumulator > step.k ? step.jt : step.jf;
        break;
      case 0x06:
        return step.k;
      default:
        throw new Error(`instruction ${step.code} is not one of ours`);
    }
  }
  throw new Error('the program ran past its end');
}
