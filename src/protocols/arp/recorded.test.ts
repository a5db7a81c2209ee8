import { expect, it } from 'vitest';
import { Announced } from '../layer2/announced.ts';
import { frameOf, HEARD_BY, type Recorded, SENT_BY } from '../recorded.rig.ts';
import { decode } from './codec.ts';
import type { Drop } from './events.ts';
import { otherOwner } from './other.ts';
import { replyBuffer, respond } from './respond.ts';

it.each<[Recorded, 'reply' | Drop, 'claims it' | 'claims nothing']>([
  ['arping 192.0.2.7', 'reply', 'claims nothing'],
  ['arping -0 192.0.2.7, from nobody', 'reply', 'claims nothing'],
  ['arping -U, that it has 192.0.2.7', 'reply', 'claims it'],
  ['arping -P -U, the same as a reply', 'not-request', 'claims it'],
  ['ping 192.0.2.7', 'reply', 'claims nothing'],
  ['ping 192.0.2.7, a stale neighbour', 'reply', 'claims nothing'],
  ['arping 192.0.2.9', 'not-announced', 'claims nothing'],
  ['ndisc6 2001:db8::7', 'malformed', 'claims nothing'],
])('%s: %s, %s', (what, verdict, claim) => {
  const announced = new Announced();
  announced.claim({ family: 'IPv4', bits: 0xc0000207n }, 'default/web', 'all');
  const face = { name: 'lan0', mac: HEARD_BY };
  const frame = frameOf(what);
  const request = { frame, length: frame.length };
  const reply = replyBuffer();
  expect(respond(request, { face, announced }, reply)).toBe(verdict);
  if (verdict === 'reply')
    expect(decode(reply)).toMatchObject({
      destination: SENT_BY,
      source: HEARD_BY,
      operation: 2,
      senderMac: HEARD_BY,
      senderIp: 0xc0000207,
      targetMac: SENT_BY,
    });
  const other = otherOwner(request, { announced, face, isOwn: () => false });
  expect(other?.mac).toEqual(claim === 'claims it' ? SENT_BY : undefined);
});
