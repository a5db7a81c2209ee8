import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { range } from './field.rig.ts';
import { type Losses, type Notice, readLosses, readNotice, writeLosses, writeNotice } from './notice.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (notice: Notice) => new TextDecoder().decode(writeNotice(notice).bytes);
const eth1 = { name: 'eth1', families: ['IPv4', 'IPv6'], nets: [range('192.0.2.0/24')] } as const;

describe('what a speaker tells about its node', () => {
  it.each<[string, Notice]>([
    ['{"herald":1}', { heedsCordon: false }],
    ['{"herald":1,"cordon":true}', { heedsCordon: true }],
    [
      '{"herald":1,"cordon":true,"lost":[{"if":"eth1","fam":"46","nets":["192.0.2.0/24"]}]}',
      { heedsCordon: true, losses: { interfaces: [eth1], absent: [], nowhere: false } },
    ],
    ['{"herald":1,"unheard":["02:00:5e:00:53:01"]}', { heedsCordon: false, unheard: ['02:00:5e:00:53:01'] }],
    [
      '{"herald":1,"nowhere":true,"absent":["eno1"],"lost":[{"if":"eth0","fam":"6"}]}',
      {
        heedsCordon: false,
        losses: {
          interfaces: [{ name: 'eth0', families: ['IPv6'], nets: [] }],
          absent: ['eno1'],
          nowhere: true,
        },
      },
    ],
  ])('is written and read as %s', (wire, notice) => {
    expect(text(notice)).toBe(wire);
    expect(readNotice(bytes(wire))).toEqual(notice);
  });

  it.each([
    ['nothing, as of MetalLB', ''],
    ['no JSON', 'herald'],
    ['no object', '1'],
    ['without a version', '{"cordon":true}'],
    ['version zero', '{"herald":0}'],
    ['a family that does not exist', '{"herald":1,"lost":[{"if":"eth1","fam":"5"}]}'],
    ['an interface without a name', '{"herald":1,"lost":[{"fam":"4"}]}'],
    ['a list that is none', '{"herald":1,"lost":"eth1"}'],
    ['longer than memberlist lets it be', `{"herald":1,"x":"${'x'.repeat(600)}"}`],
  ])('is ignored when it is %s', (_, wire) => {
    expect(readNotice(bytes(wire))).toBeUndefined();
  });

  it('is read as far as it is known when a later version says more, and without subnets that are none', () => {
    const wire =
      '{"herald":2,"new":[1],"lost":[{"if":"eth1","fam":"46","nets":["no","192.0.2.0/24"],"x":1}]}';
    expect(readNotice(bytes(wire))?.losses?.interfaces).toEqual([eth1]);
  });

  it('leaves out what it does not hear of others before what it has lost itself', () => {
    const unheard = Array.from({ length: 64 }, (_, i) => `02:00:5e:00:53:${10 + i}`);
    const losses: Losses = { interfaces: [eth1], absent: [], nowhere: false };
    const written = writeNotice({ heedsCordon: true, losses, unheard });
    const read = readNotice(written.bytes);
    expect([written.whole, read?.losses?.interfaces]).toEqual([true, [eth1]]);
    expect(read?.unheard?.length).toBeGreaterThan(10);
  });

  it('leaves out from the end what does not fit', () => {
    const interfaces = Array.from({ length: 40 }, (_, i) => ({ ...eth1, name: `bond0.${i}` }));
    const losses: Losses = { interfaces, absent: [], nowhere: false };
    const written = writeNotice({ heedsCordon: true, losses });
    expect([written.whole, written.bytes.length <= 512]).toEqual([false, true]);
    const read = readNotice(written.bytes);
    expect(read?.losses?.interfaces).toEqual(interfaces.slice(0, read?.losses?.interfaces.length));
    expect(read?.losses?.interfaces.length).toBeGreaterThan(5);
    const absent = Array.from({ length: 100 }, (_, i) => `eth${i}`);
    expect(text({ heedsCordon: true, losses: { interfaces, absent, nowhere: true } })).toBe(
      '{"herald":1,"cordon":true}',
    );
  });

  it('never makes the reader throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), fc.json().map(bytes)), (meta) => {
        readNotice(meta);
      }),
    );
  });
});

describe('losses alone', () => {
  it.each<[string, Losses]>([
    [
      '{"lost":[{"if":"eth1","fam":"46","nets":["192.0.2.0/24"]}]}',
      { interfaces: [eth1], absent: [], nowhere: false },
    ],
    [
      '{"nowhere":true,"absent":["eno1"],"lost":[{"if":"eth0","fam":"6"}]}',
      { interfaces: [{ name: 'eth0', families: ['IPv6'], nets: [] }], absent: ['eno1'], nowhere: true },
    ],
  ])('are written and read as %s', (wire, losses) => {
    expect(writeLosses(losses)).toBe(wire);
    expect(readLosses(wire)).toEqual(losses);
  });

  it.each(['', 'eth1', '1', '{}', '{"lost":[]}', '{"lost":"eth1"}', '{"lost":[{"if":"eth1","fam":"5"}]}'])(
    'are none in %j',
    (wire) => {
      expect(readLosses(wire)).toBeUndefined();
    },
  );
});
