import { beforeEach, describe, expect, it } from 'vitest';
import { ad, config, pool } from '../../../domain/election/field.rig.ts';
import type { Link } from '../../../platform/linux/netlink.ts';
import { VirtualClock } from '../../../platform/obs/clock.rig.ts';
import { createLog } from '../../../platform/obs/log.ts';
import { Standing } from './standing.ts';

const link = (index: number, name: string, change: Partial<Link> = {}): Link => ({
  index,
  name,
  mac: Uint8Array.of(2, 0, 0, 0, 0, index),
  up: true,
  carrier: true,
  broadcast: true,
  loopback: false,
  noArp: false,
  ipv6: false,
  nets: [`192.0.${index}.0/24`],
  ...change,
});

let clock: VirtualClock;
let standing: Standing;
let heeds: boolean;
/** What the others are told, and whether this node takes no part. */
let told: [string, boolean][];

beforeEach(() => {
  clock = new VirtualClock();
  heeds = true;
  told = [];
  standing = new Standing({
    clock,
    log: createLog({ level: 'none', clock, fields: {} }),
    excluded: (name) => name.startsWith('lxc'),
    config: () => config([ad('named', { interfaces: ['eth9'] })], pool('web', '192.0.2.0/24')),
    heedsCordon: () => heeds,
    onChange: (meta, nowhere) => told.push([Buffer.from(meta).toString(), nowhere]),
  });
});

const links = (...all: Link[]) => standing.setLinks(new Map(all.map((one) => [one.index, one])));
const news = () => told.splice(0);
const WELL = '{"herald":1,"cordon":true}';
const LOST =
  '{"herald":1,"cordon":true,"absent":["eth9"],"lost":[{"if":"eth2","fam":"4","nets":["192.0.2.0/24"]}]}';
const NOWHERE = LOST.replace('"absent"', '"nowhere":true,"absent"');

describe('what the others are told about this node', () => {
  it('begins with a word that all is well, and is not repeated', () => {
    links(link(2, 'eth2'), link(3, 'eth3'), link(4, 'lxc4'));
    links(link(2, 'eth2'), link(3, 'eth3'));
    expect(news()).toEqual([[WELL, false]]);
  });

  it('is a loss at once, and its end after a second', async () => {
    links(link(2, 'eth2'), link(3, 'eth3'));
    links(link(2, 'eth2', { carrier: false }), link(3, 'eth3'));
    expect(news()).toEqual([
      [WELL, false],
      [LOST, false],
    ]);
    links(link(2, 'eth2'), link(3, 'eth3'));
    await clock.advance(999);
    expect(news()).toEqual([]);
    await clock.advance(1);
    expect(news()).toEqual([[WELL, false]]);
    expect(clock.timers).toBe(0);
  });

  it('is that it takes no part while nothing is left', async () => {
    links(link(2, 'eth2'));
    links();
    expect([news().at(-1), standing.nowhere]).toEqual([[NOWHERE, true], true]);
    links(link(2, 'eth2'));
    await clock.advance(1_000);
    expect([news(), standing.nowhere]).toEqual([[[WELL, false]], false]);
  });

  it('is the loss of an interface that lets nothing out, until it is tried again or plugged in anew', async () => {
    const fail = async () => {
      for (let i = 0; i < 5; i++) {
        standing.sent('eth2', false);
        await clock.advance(100);
      }
    };
    links(link(2, 'eth2'), link(3, 'eth3'));
    await fail();
    expect(news().at(-1)).toEqual([LOST, false]);
    // Ten seconds of quiet, and one that it must hold.
    await clock.advance(11_000);
    expect(news()).toEqual([[WELL, false]]);
    await fail();
    expect(news()).toEqual([[LOST, false]]);
    links(link(2, 'eth2', { carrier: false }), link(3, 'eth3'));
    links(link(2, 'eth2'), link(3, 'eth3'));
    await clock.advance(1_000);
    expect(news()).toEqual([[WELL, false]]);
  });

  it('is whether it heeds cordons, as soon as that differs', () => {
    links(link(2, 'eth2'));
    heeds = false;
    standing.look();
    standing.look();
    expect(news()).toEqual([
      [WELL, false],
      ['{"herald":1}', false],
    ]);
  });

  it('forgets an interface that becomes excluded, and says nothing after its end', async () => {
    links(link(2, 'eth2'), link(3, 'eth3'));
    links(link(3, 'eth3'));
    standing.setExcluded((name) => name === 'eth2');
    expect(news().map(([text]) => text)).toEqual([WELL, LOST, WELL]);
    standing.close();
    links();
    expect([news(), clock.timers]).toEqual([[], 0]);
  });
});
