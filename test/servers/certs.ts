/** A certificate authority of a run's own, by the openssl program: serving certificates and users' certificates. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './exec.ts';

/** Paths of a key pair, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Elliptic keys are made in milliseconds, RSA keys in tenths of a second. */
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];

async function request(dir: string, name: string, args: readonly string[]): Promise<KeyPair> {
  const pair = { cert: join(dir, `${name}.crt`), key: join(dir, `${name}.key`) };
  // The machine's own configuration would add extensions that contradict ours.
  const config = join(dir, 'openssl.cnf');
  if (!existsSync(config)) writeFileSync(config, '[req]\ndistinguished_name = dn\n[dn]\n');
  await must('openssl', [
    'req',
    '-config',
    config,
    '-x509',
    ...NEW_KEY,
    '-keyout',
    pair.key,
    '-out',
    pair.cert,
    ...args,
  ]);
  return pair;
}

/** Makes the authority `<name>.crt` and `<name>.key`. */
export const makeAuthority = (dir: string, name = 'ca'): Promise<KeyPair> =>
  request(dir, name, [
    '-subj',
    '/CN=lab',
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'keyUsage=critical,keyCertSign,digitalSignature',
  ]);

const authority = (ca: KeyPair) => [
  '-CA',
  ca.cert,
  '-CAkey',
  ca.key,
  '-addext',
  'basicConstraints=critical,CA:FALSE',
];
const issued = (ca: KeyPair, usage: string) => [...authority(ca), '-addext', `extendedKeyUsage=${usage}`];

/** A serving certificate for these names and addresses. */
export const makeServing = (dir: string, ca: KeyPair, names: readonly string[]): Promise<KeyPair> => {
  const alternatives = [...new Set(names)]
    .map((n) => `${/^[\d.]+$|:/.test(n) ? 'IP' : 'DNS'}:${n}`)
    .join(',');
  return request(dir, 'serving', [
    ...issued(ca, 'serverAuth'),
    '-subj',
    '/CN=serving',
    '-addext',
    `subjectAltName=${alternatives}`,
  ]);
};

/** A client certificate: Kubernetes reads the user's name from CN and the groups from O. */
export const makeClient = (
  dir: string,
  ca: KeyPair,
  user: { readonly file: string; readonly name: string; readonly groups: readonly string[] },
): Promise<KeyPair> => {
  const escaped = (text: string) => text.replace(/[/\\+=]/g, '\\$&');
  const subject = [...user.groups.map((g) => `/O=${escaped(g)}`), `/CN=${escaped(user.name)}`].join('');
  return request(dir, user.file, [...issued(ca, 'clientAuth'), '-subj', subject]);
};

const base64 = (path: string) => readFileSync(path).toString('base64');

/** The text of a kubeconfig (JSON, which is YAML) with everything in it, for a token or a client certificate. */
export function kubeconfigText(url: string, ca: string, user: { token: string } | KeyPair): string {
  const credentials =
    'token' in user
      ? { token: user.token }
      : { 'client-certificate-data': base64(user.cert), 'client-key-data': base64(user.key) };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server: url, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'user', user: credentials }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'user' } }],
    'current-context': 'lab',
  });
}
