import { expect, it } from 'vitest';
import { parseAddress } from '../../domain/ip/address.ts';
import { Announced } from '../layer2/announced.ts';
import { frameOf, HEARD_BY, type Recorded, SENT_BY } from '../recorded.rig.ts';
import { ALL_NODES_MAC, decode, OVERRIDE, SOLICITED } from './codec.ts';
import type { Drop } from './events.ts';
import { ip6 } from './frames.rig.ts';
import { replyBuffer, respond } from './respond.ts';

const to = (mac: Uint8Array, flags: number) => ({ destination: mac, flags });

it.each<[Recorded, 'reply' | Drop, ReturnType<typeof to>?]>([
  ['ndisc6 2001:db8::7', 'reply', to(SENT_BY, SOLICITED | OVERRIDE)],
  ['ip address add 2001:db8::7', 'reply', to(ALL_NODES_MAC, OVERRIDE)],
  ['ip link set up, its own address', 'not-announced'],
  ['ip link set up, ndisc_notify', 'not-solicitation'],
  ['ip link set up, asking for routers', 'malformed'],
  ['ip link set up, groups that it is in', 'malformed'],
  ['arping 192.0.2.7', 'malformed'],
])('%s: %s', (what, verdict, answer) => {
  const announced = new Announced();
  const address = parseAddress('2001:db8::7');
  if (address) announced.claim(address, 'default/web', 'all');
  const frame = frameOf(what);
  const reply = replyBuffer();
  const at = { face: { name: 'lan0', mac: HEARD_BY }, announced };
  expect(respond({ frame, length: frame.length }, at, reply)).toBe(verdict);
  if (answer)
    expect(decode(reply)).toMatchObject({
      ...answer,
      source: HEARD_BY,
      type: 136,
      target: ip6('2001:db8::7'),
      options: [{ type: 2, value: HEARD_BY }],
    });
});
