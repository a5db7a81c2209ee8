import type { BGPPeerSpec } from '../api/metallb.ts';
import { parseAddress } from '../ip/address.ts';
import { parseDuration, SECOND } from './duration.ts';

/** What upstream's parser refuses about a BGPPeer, as `[field, what is wrong]`. No value is repeated. */
export function peerMistakes(spec: BGPPeerSpec): (readonly [string, string])[] {
  const wrong: (readonly [string, string])[] = [];
  const has = (key: keyof BGPPeerSpec) => spec[key] !== undefined && spec[key] !== '' && spec[key] !== 0;

  if (spec.myASN === 0) wrong.push(['myASN', 'must not be 0']);
  if (!has('peerASN') && !has('dynamicASN'))
    wrong.push(['peerASN', 'is required, or dynamicASN in its place']);
  if (has('peerASN') && has('dynamicASN')) wrong.push(['dynamicASN', 'excludes peerASN']);
  if (spec.ebgpMultiHop && spec.peerASN === spec.myASN)
    wrong.push(['ebgpMultiHop', 'is for sessions between two AS numbers; here both are the same']);
  if (!has('peerAddress') && !has('interface'))
    wrong.push(['peerAddress', 'is required, or interface in its place']);
  if (has('peerAddress') && has('interface')) wrong.push(['interface', 'excludes peerAddress']);
  if (has('password') && spec.passwordSecret?.name) wrong.push(['password', 'excludes passwordSecret']);

  for (const key of ['peerAddress', 'sourceAddress', 'routerID'] as const) {
    const text = spec[key];
    if (text && !parseAddress(text)) wrong.push([key, 'is not an IP address']);
  }
  return [...wrong, ...timerMistakes(spec)];
}

function timerMistakes(spec: BGPPeerSpec): (readonly [string, string])[] {
  const wrong: (readonly [string, string])[] = [];
  const read = (key: 'holdTime' | 'keepaliveTime' | 'connectTime'): bigint | undefined => {
    const text = spec[key];
    if (text === undefined) return undefined;
    const value = parseDuration(text);
    if (value === undefined) wrong.push([key, 'is not a duration such as "90s" or "1m30s"']);
    return value;
  };
  const hold = read('holdTime');
  const keepalive = read('keepaliveTime');
  const connect = read('connectTime');
  // BGP carries whole seconds.
  const seconds = hold === undefined ? undefined : hold / SECOND;
  if (seconds !== undefined && seconds !== 0n && seconds < 3n)
    wrong.push(['holdTime', 'must be 0 or at least 3s']);
  if (hold !== undefined && keepalive !== undefined && keepalive > hold)
    wrong.push(['keepaliveTime', 'must not be longer than holdTime']);
  if (connect !== undefined && (connect < SECOND || connect > 65535n * SECOND || connect % SECOND !== 0n))
    wrong.push(['connectTime', 'must be whole seconds from 1s to 65535s']);
  return wrong;
}
