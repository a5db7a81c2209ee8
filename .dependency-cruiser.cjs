/** The table of arrows in docs/map.md, enforced. `make check` runs this. */
const only = (name, packages, allowed) => ({
  name,
  severity: 'error',
  from: { path: '^src/', pathNot: [...allowed, '\\.test\\.ts$', '\\.rig\\.ts$'] },
  to: { path: packages.map((p) => `(^|/)node_modules/${p}/`).concat(packages.map((p) => `^${p}$`)) },
});
const room = (from, mayImport) => ({
  name: `room:${from}`,
  severity: 'error',
  from: { path: `^src/${from}/`, pathNot: ['\\.test\\.ts$', '\\.rig\\.ts$'] },
  to: { path: '^src/', pathNot: [`^src/${from}/`, ...mayImport.map((m) => `^src/${m}/`)] },
});
const below = ['domain/api', 'domain/ip'];
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    room('domain/ip', []),
    room('domain/api', ['domain/ip']),
    room('domain/desired', below),
    room('domain/config', [...below]),
    room('domain/ipam', [...below, 'domain/config']),
    room('domain/election', [...below, 'domain/config', 'domain/ipam']),
    room('domain/change', [...below, 'domain/desired', 'domain/config', 'domain/ipam', 'domain/election']),
    room('protocols/layer2', ['domain/ip']),
    room('protocols/arp', ['domain/ip', 'protocols/layer2']),
    room('protocols/ndp', ['domain/ip', 'protocols/layer2']),
    room('protocols/gossip', ['domain/ip']),
    room('platform/obs', []),
    room('platform/files', ['platform/obs', ...below]),
    room('platform/kube', ['platform/obs', ...below]),
    room('platform/linux', ['platform/obs', ...below]),
    room('platform/ring', ['platform/obs', 'domain/ip']),

    room('programs/reconciler', ['domain', 'protocols', 'platform']),
    room('programs/controller', ['domain', 'protocols', 'platform']),
    room('programs/speaker', ['domain', 'protocols', 'platform']),
    room('programs/cli', ['domain', 'protocols', 'platform/obs', 'platform/files', 'platform/kube']),
    room('bin', ['programs', 'platform']),
    only('koffi', ['koffi'], ['^src/platform/linux/']),
    only('kube-libs', ['undici', '@kubernetes/client-node'], ['^src/platform/kube/']),
    only('file-libs', ['chokidar', 'yaml'], ['^src/platform/files/']),
    only('metrics-lib', ['prom-client'], ['^src/platform/obs/']),
    only('schema-lib', ['typebox'], ['^src/domain/api/']),
    only('netmask', ['netmask'], ['^src/domain/ip/']),
    only('commander', ['commander'], ['^src/programs/cli/', '^src/bin/']),
    {
      name: 'fs-only-in-files',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/platform/files/', '\\.test\\.ts$', '\\.rig\\.ts$'] },
      to: { path: '^(node:)?fs(/promises)?$', dependencyTypes: ['core'] },
    },
    {
      name: 'processes-only-in-files',
      severity: 'error',
      comment: 'Kustomize is the only program that Herald runs.',
      from: { path: '^src/', pathNot: ['^src/platform/files/', '\\.test\\.ts$', '\\.rig\\.ts$'] },
      to: { path: '^(node:)?child_process$', dependencyTypes: ['core'] },
    },
    {
      name: 'pure-rooms',
      severity: 'error',
      comment: 'domain and protocols decide; platform does.',
      from: { path: '^src/(domain|protocols)/', pathNot: ['\\.test\\.ts$', '\\.rig\\.ts$'] },
      to: { dependencyTypes: ['core'], pathNot: ['^(node:)?net$', '^(node:)?crypto$'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
