import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginRun, type Run } from '../servers/run.ts';
import { type Faults, makeFaults } from './faults.rig.ts';
import { labAvailable } from './lab.rig.ts';
import { type Host, makeNetwork } from './network.rig.ts';

const able = labAvailable();
if (able !== true) console.log(`faults of the lab skipped: ${able}`);

describe.skipIf(able !== true)('what can be wrong with the wires of the lab', () => {
  let run: Run;
  let faults: Faults;
  let a: Host;
  let b: Host;
  let client: Host;

  beforeAll(async () => {
    run = await beginRun();
    const network = await makeNetwork(run);
    faults = makeFaults(run, network);
    [a, b, client] = [await network.node('a'), await network.node('b'), await network.client('c')];
    await b.exec('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'lan0');
  });
  afterAll(async () => {
    await run?.close();
  });

  /** How many of `count` pings from a to b came back, and the fastest round trip in milliseconds. */
  const ping = async (from: Host, to: string, count = 3) => {
    const text = await from.exec('sh', '-c', `ping -n -q -i 0.01 -W 1 -c ${count} ${to} || true`);
    return {
      back: Number(/(\d+) received/.exec(text)?.[1]),
      fastest: Number(/min\/avg[^=]*= ([\d.]+)/.exec(text)?.[1]),
    };
  };
  const ring = (to: Host, count?: number) => ping(to === b ? a : b, to === b ? at(b) : at(a), count);
  const at = (host: Host) => `10.89.${run.block}.${host === a ? 11 : 12}`;

  it('are none at first', async () => {
    expect(await ring(b)).toMatchObject({ back: 3 });
    expect(await ping(client, '192.0.2.1')).toMatchObject({ back: 3 });
  });

  it('are packets lost on one wire, and not on the other nor on the way to the machine', async () => {
    await faults.lose(0.3, 'mgmt');
    const { back } = await ring(b, 200);
    // Half of them; 200 tries miss these bounds once in a million times.
    expect(back).toBeGreaterThan(60);
    expect(back).toBeLessThan(140);
    expect(await ping(client, '192.0.2.1', 50)).toMatchObject({ back: 50 });
    expect(await ping(a, `10.89.${run.block}.1`, 50)).toMatchObject({ back: 50 });
    await faults.heal();
    expect(await ring(b, 50)).toMatchObject({ back: 50 });
  });

  it('are a node that hears another and is not heard by it', async () => {
    const received = async (host: Host) =>
      Number(/RX:[^\n]*\n\s*\d+\s+(\d+)/.exec(await host.exec('ip', '-s', 'link', 'show', 'mgmt0'))?.[1]);
    await faults.deafen(b, a);
    const before = [await received(a), await received(b)];
    await b.exec('sh', '-c', `ping -n -q -i 0.01 -W 1 -c 50 ${at(a)} || true`);
    const [toA = 0, toB = 0] = [await received(a), await received(b)].map((n, i) => n - (before[i] ?? 0));
    expect(toA).toBeGreaterThanOrEqual(50);
    expect(toB).toBeLessThan(20);
    await faults.heal();
  });

  it('are sides that nothing passes between, of one wire', async () => {
    await faults.part('lan', [b], [client]);
    expect(await ping(client, '192.0.2.1')).toMatchObject({ back: 0 });
    expect(await ring(b)).toMatchObject({ back: 3 });
    await faults.heal();
    expect(await ping(client, '192.0.2.1')).toMatchObject({ back: 3 });
  });

  it('are delays, while they last, that leave packets whole', async () => {
    const end = await faults.slow(b, 'mgmt', 20);
    expect((await ring(b)).fastest).toBeGreaterThanOrEqual(40);
    const { stdout } = await transfer(1 << 20);
    expect(stdout).toBe(1 << 20);
    await end();
    expect((await ring(b)).fastest).toBeLessThan(20);
  });

  /** Bytes that got through a TCP connection from b to a. */
  const transfer = async (bytes: number) => {
    const listen = `require('net').createServer(s=>{let n=0;s.on('data',d=>n+=d.length).on('end',()=>{console.log(n);process.exit()})}).listen(7000,'${at(a)}')`;
    const send = `const s=require('net').connect(7000,'${at(a)}',()=>s.end(Buffer.alloc(${bytes})));s.on('error',()=>process.exit(1))`;
    const heard = a.exec(process.execPath, '-e', listen);
    const told = b.exec('sh', '-c', `until ${process.execPath} -e "${send}"; do sleep 0.1; done`);
    await told;
    return { stdout: Number(await heard) };
  };
});
