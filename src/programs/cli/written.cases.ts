/** Files as operators might keep them, in test/inputs, in shapes that the real inputs do not have. By hand, as those. */
import { bgp, type InputCase, l2, peer, pool } from './inputs.rig.ts';

export const WRITTEN: readonly InputCase[] = [
  {
    // Anchors, two peers, aggregation, a name that is none, and another product's release in the same file.
    name: 'flux-inline',
    objects: {
      'BGPPeer peer1': peer({ peerAddress: '192.0.2.1', peerASN: 64501, myASN: 64500, holdTime: '30s' }),
      'BGPPeer peer2': peer({
        peerAddress: '192.0.2.2',
        peerASN: 64501,
        myASN: 64500,
        holdTime: '30s',
        nodeSelectors: [{ matchLabels: { rack: 'b' } }],
      }),
      'IPAddressPool routed': pool(['198.51.100.0/24'], { avoidBuggyIPs: true }),
      'IPAddressPool office-lan': pool(['203.0.113.10 - 203.0.113.20'], { autoAssign: false }),
      'BGPAdvertisement bgpadvertisement1': bgp(['routed'], {
        localPref: 100,
        communities: ['no-advertise'],
      }),
      'BGPAdvertisement bgpadvertisement2': bgp(['routed'], { aggregationLength: 24 }),
      'L2Advertisement l2advertisement1': l2(['office-lan']),
      'Community communities': { communities: [{ name: 'no-advertise', value: '65535:65282' }] },
    },
    told: ['notice metallb.yaml:2:1 Skipped', 'notice metallb.yaml:50:17 Renamed'],
  },
  {
    // CRLF, a byte order mark, layers of values, null as deletion.
    name: 'flux-windows',
    namespace: 'lb',
    objects: {},
    told: ['release.yaml:50:13 PoolRangeInvalid'],
  },
  {
    // As kubectl prints them, with status and all; documents of nothing between.
    name: 'list',
    paths: ['objects.yaml'],
    objects: {
      'IPAddressPool web': pool(['192.0.2.0/28']),
      'L2Advertisement web': l2(['web'], {
        nodeSelectors: [
          { matchLabels: { 'kubernetes.io/hostname': 'node-a' } },
          { matchExpressions: [{ key: 'edge', operator: 'Exists' }] },
        ],
      }),
      'BFDProfile fast': { receiveInterval: 150, transmitInterval: 150, minimumTtl: 254 },
    },
    // The native back end has no BFD.
    told: ['warning objects.yaml:43:23 NeedsFrr'],
  },
  {
    // JSON, indented with tabs. IPv6 by BGP is nothing for the native back end.
    name: 'json',
    paths: ['objects.json'],
    objects: {
      'IPAddressPool v6': pool(['2001:db8:0:1::/64', '2001:DB8::10-2001:db8::1f']),
      'BGPAdvertisement v6': bgp(['v6'], { communities: ['64512:10'] }),
    },
    told: ['warning objects.json:15:15 NeedsFrr'],
  },
  {
    // Patches of both kinds and a namespace, over a base.
    name: 'patched',
    paths: ['site'],
    objects: {
      'IPAddressPool main': pool(['192.0.2.0/28', '198.51.100.7/24']),
      'L2Advertisement main': l2(['main'], { interfaces: ['eth1'] }),
      'IPAddressPool extra': pool(['203.0.113.0-203.0.113.7'], { autoAssign: false }),
    },
    told: ['warning base/pools.yaml:7:5 HostBits', 'warning site/extra.yaml:2:1 PoolNotAdvertised'],
  },
  {
    name: 'kubespray-old',
    objects: {
      'BGPPeer peer1': peer({
        peerAddress: '192.0.2.1',
        peerASN: 64512,
        myASN: 4200000000,
        holdTime: '1m30s',
        passwordSecret: { name: 'herald-peer-peer1', namespace: 'metallb-system' },
      }),
      'Secret herald-peer-peer1': { type: 'kubernetes.io/basic-auth', data: { password: 'Y2hhbmdlbWU=' } },
      'IPAddressPool loadbalanced': pool(['10.5.0.0/16'], { avoidBuggyIPs: true }),
      'IPAddressPool kube-service-pool-1': pool(['10.6.0.0/16'], { autoAssign: false, avoidBuggyIPs: true }),
      'IPAddressPool lan': pool(['10.7.0.10-10.7.0.20']),
      'BGPAdvertisement bgpadvertisement1': bgp(['loadbalanced']),
      'BGPAdvertisement bgpadvertisement2': bgp(['kube-service-pool-1']),
      'L2Advertisement l2advertisement1': l2(['lan']),
    },
    told: ['notice k8s-cluster/addons.yml:17:5 Renamed'],
  },
  {
    name: 'kubespray-new',
    objects: {
      'IPAddressPool primary': pool(['10.5.0.0/16']),
      'IPAddressPool pool1': pool(['10.6.0.0/16'], { autoAssign: false }),
      'L2Advertisement primary': l2(['primary']),
      'Community vpn-only': { communities: [{ name: 'vpn-only', value: '1234:1' }] },
      'Community well-known': {
        communities: [
          { name: 'no-export', value: '65535:65281' },
          { name: 'no-advertise', value: '65535:65282' },
          { name: 'local-as', value: '65535:65283' },
          { name: 'nopeer', value: '65535:65284' },
        ],
      },
      'BGPAdvertisement peer1-external': bgp(['pool1'], { communities: ['vpn-only'] }),
      'BGPPeer peer1': peer({ peerAddress: '10.6.0.1', peerASN: 64512, myASN: 4200000000, holdTime: '120s' }),
    },
    settings: { speaker: { nodeSelector: { 'kubernetes.io/os': 'linux' } } },
    told: [],
  },
  {
    // The bundle does not say the name of its model, which the charm puts before its own.
    name: 'charm',
    objects: {
      'IPAddressPool metallb': pool(['192.168.1.240/28', '10.0.0.0/28']),
      'L2Advertisement metallb': l2(['metallb']),
    },
    told: ['notice bundle.yaml:11:16 Renamed'],
  },
  {
    // A merged pool whose range lies inside that of the first.
    name: 'legacy-anchors',
    objects: {},
    told: ['warning configmap.yml:4:3 NotASource', 'configmap.yml:17:9 PoolOverlap'],
  },
  {
    // A text in quotes has no lines of its own.
    name: 'legacy-quoted',
    objects: {},
    told: ['configmap.yaml:9:11 PoolRangeInvalid'],
  },
  {
    name: 'chart-values',
    objects: {
      'IPAddressPool default': pool(['192.0.2.100-192.0.2.150']),
      'L2Advertisement l2advertisement1': l2(['default']),
    },
    told: [],
  },
  {
    name: 'addresspool',
    objects: {
      'IPAddressPool doc-example': pool(['203.0.113.1-203.0.113.10', '203.0.113.65/32'], {
        autoAssign: false,
      }),
      'L2Advertisement doc-example-l2': l2(['doc-example']),
      'IPAddressPool routed': pool(['198.51.100.0/24']),
      'BGPAdvertisement routed-bgp-1': bgp(['routed'], { localPref: 100, communities: ['65535:65282'] }),
      'BGPAdvertisement routed-bgp-2': bgp(['routed'], { aggregationLength: 24 }),
      'BGPPeer tor': peer({ myASN: 64500, peerASN: 64501, peerAddress: '192.0.2.1' }),
    },
    told: ['notice pools.yaml:10:7 AddressWidened', 'notice pools.yaml:30:7 Assumed'],
  },
  {
    name: 'operator',
    objects: {
      'IPAddressPool edge': pool(['192.0.2.0/24']),
      'L2Advertisement edge': l2(),
    },
    settings: {
      controller: { logLevel: 'debug' },
      speaker: {
        logLevel: 'debug',
        nodeSelector: { 'node-role.kubernetes.io/worker': '' },
        tolerations: [{ key: 'edge', operator: 'Exists', effect: 'NoExecute' }],
      },
      loadBalancerClass: 'example.com/edge',
    },
    told: [],
  },
  {
    name: 'palette',
    objects: {
      'IPAddressPool first-pool': pool(['192.168.10.0/24'], { avoidBuggyIPs: true }),
      'L2Advertisement default': l2(['first-pool']),
    },
    told: [],
  },
  {
    name: 'unrendered',
    objects: {},
    told: [
      'pool.yaml:8:7 Unrendered',
      'pool.yaml:9:7 Unrendered',
      'pool.yaml:10:7 Unrendered',
      'template.yaml:1:1 Unrendered',
      'template.yaml:6:9 Unrendered',
      'template.yaml:8:14 Unrendered',
      'template.yaml:9:1 Unrendered',
    ],
  },
  {
    // Values by way of generated Secrets, one of them a document of nothing.
    name: 'opencenter',
    paths: ['cluster'],
    objects: {
      'IPAddressPool default': pool(['10.240.0.0/27']),
      'L2Advertisement default': l2(['defaults']),
    },
    told: [
      'notice base/helmrelease.yaml:1:1 EmptySource',
      'warning cluster/ipaddresspool.yaml:1:1 PoolNotAdvertised',
      'warning cluster/l2advertisement.yaml:6:20 UnknownPool',
    ],
  },
  {
    name: 'mistakes',
    objects: {},
    told: [
      'objects.yaml:8:7 PoolRangeInvalid',
      'objects.yaml:9:7 PoolRangeInvalid',
      'objects.yaml:10:7 PoolRangeInvalid',
      'objects.yaml:11:7 PoolRangeInvalid',
      'objects.yaml:12:7 PoolRangeMixed',
      'warning objects.yaml:13:3 UnknownKey',
      'objects.yaml:19:14 WrongNamespace',
      'objects.yaml:21:10 WrongType',
      'objects.yaml:32:7 WrongType',
      'objects.yaml:42:16 PeerInvalid',
    ],
  },
  {
    // Written on Windows; Calico announces, and its list does not hold one of the pools.
    name: 'kubespray-calico',
    objects: {
      'IPAddressPool primary': pool(['10.5.0.0/24'], { autoAssign: false }),
      'IPAddressPool second': pool(['10.6.0.0/24']),
    },
    settings: { speaker: { enabled: false } },
    told: [
      'notice group_vars/k8s_cluster/addons.yml:5:26 LeftToOthers',
      'warning group_vars/k8s_cluster/addons.yml:13:18 PoolNotAdvertised',
    ],
  },
  {
    // Several files below one group_vars, which Ansible takes together; what stands under `all` comes first.
    name: 'kubespray-split',
    objects: { 'IPAddressPool loadbalanced': pool(['10.5.0.0/24', '10.6.0.0/24']) },
    settings: { speaker: { enabled: false } },
    told: [
      'notice group_vars/k8s_cluster/addons.yml:4:26 LeftToOthers',
      'warning group_vars/k8s_cluster/metallb.yml:4:5 PoolNotAdvertised',
    ],
  },
  {
    // The ConfigMap of an old cluster with Herald's label: MetalLB took a password without quotes as it is written.
    name: 'adopted',
    objects: {
      'BGPPeer peer1': peer({
        peerAddress: '192.0.2.1',
        peerASN: 64501,
        myASN: 64500,
        holdTime: '1m30s',
        passwordSecret: { name: 'herald-peer-peer1', namespace: 'metallb-system' },
      }),
      'Secret herald-peer-peer1': { type: 'kubernetes.io/basic-auth', data: { password: 'MDEyMw==' } },
      'IPAddressPool default': pool(['198.51.100.0/24']),
      'BGPAdvertisement bgpadvertisement1': bgp(['default']),
    },
    told: ['warning config.yaml:13:17 PasswordInOpen'],
  },
  {
    // Values from before the move to objects, which hold the same addresses.
    name: 'left-behind',
    objects: { 'IPAddressPool lan': pool(['192.0.2.0/27']), 'L2Advertisement lan': l2() },
    told: ['warning release.yaml:14:7 NoEffect'],
  },
  {
    name: 'wrapper',
    objects: { 'IPAddressPool web': pool(['192.0.2.0/28']), 'L2Advertisement web': l2(['web']) },
    told: [],
  },
  {
    name: 'elsewhere',
    objects: {},
    told: ['notice application.yaml:1:1 Skipped', 'notice k3s.yaml:1:1 Skipped'],
  },
  {
    name: 'elsewhere',
    paths: ['k3s.yaml'],
    objects: {},
    told: ['k3s.yaml:1:1 UnknownKind'],
  },
  {
    name: 'inventory',
    paths: ['hosts.yaml'],
    objects: {},
    told: ['hosts.yaml:1:1 UnknownKey', 'warning hosts.yaml:5:9 ValuesInside'],
  },
  {
    name: 'commented',
    objects: {},
    told: ['warning config.yaml:4:3 NotASource', 'notice config.yaml:8:5 EmptySource'],
  },
  { name: 'tabs', objects: {}, told: ['values.yaml:3:1 YamlSyntax'] },
];
