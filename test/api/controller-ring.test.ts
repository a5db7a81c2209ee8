import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at } from '../fleet/observe.ts';
import { type ApiServer, available, startApiServer, until } from '../servers/index.ts';
import { NAMESPACE, type Program, startController } from './controller.rig.ts';

const can = available('api');
const ARGS = ['--ml-secret-name=herald-memberlist', '--deployment=herald-controller'];
const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'herald-controller', namespace: NAMESPACE },
  spec: {
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'x', image: 'x' }] } },
  },
};

describe.skipIf(can !== true)(`the key of the speakers' ring${can === true ? '' : ` (${can})`}`, () => {
  let api: ApiServer;
  let program: Program | undefined;
  const secret = async (): Promise<unknown> => {
    const { status, body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/secrets/herald-memberlist`);
    return status === 200 ? JSON.parse(body) : undefined;
  };
  const key = async () => {
    const data = at(await secret(), 'data.secretkey');
    return typeof data === 'string' ? Buffer.from(data, 'base64').toString() : '';
  };

  beforeAll(async () => {
    api = await startApiServer();
    await api.kubectl('create', 'namespace', NAMESPACE);
    await api.kubectlInput(JSON.stringify(DEPLOYMENT), 'apply', '-f', '-');
  });
  afterAll(async () => {
    await program?.stop();
    await api?.stop();
  });

  it('is made once, as upstream makes it, and goes with the Deployment', async () => {
    program = await startController(api, { args: ARGS });
    const made = await until('the Secret', secret);
    expect(await key()).toMatch(/^[A-Za-z0-9+/]{22}$/);
    expect(at(made, 'metadata.ownerReferences[0].name')).toBe('herald-controller');
    expect(program.log.join('\n')).not.toContain(await key());
  });

  it('is left alone when somebody has chosen one', async () => {
    await program?.stop();
    const patch = JSON.stringify({ stringData: { secretkey: 'chosen' } });
    await api.kubectl('-n', NAMESPACE, 'patch', 'secret', 'herald-memberlist', '-p', patch);
    program = await startController(api, { args: ARGS });
    await until('the leader', async () => (await program?.readyz())?.status === 200);
    expect(await key()).toBe('chosen');
    await program.stop();
    await api.kubectl('-n', NAMESPACE, 'delete', 'secret', 'herald-memberlist');
    program = await startController(api);
    await until('the leader', async () => (await program?.readyz())?.status === 200);
    expect(await secret()).toBeUndefined();
  });
});
