import { bgp, type InputCase, l2, peer, pool } from './inputs.rig.ts';

const NOT_LABELLED = 'NotASource';
const ON_CONTROL_PLANE = {
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [
    { key: 'node-role.kubernetes.io/control-plane', operator: 'Equal', value: '', effect: 'NoSchedule' },
  ],
};

/**
 * What the files that real operators keep in public repositories mean, written down by hand from the documents of each dialect
 * and from looking at each file. The files themselves lie beside the repository.
 */
export const CASES: readonly InputCase[] = [
  {
    name: '03-blackjid-home-ops',
    namespace: 'networking',
    objects: {
      'IPAddressPool default': pool(['10.2.1.100-10.2.1.150']),
      'L2Advertisement l2advertisement1': l2(['default']),
    },
    settings: {
      controller: { tolerations: [{ key: 'arm', operator: 'Exists' }] },
      speaker: {
        tolerations: [
          { key: 'arm', operator: 'Exists' },
          { key: 'armhf', operator: 'Exists' },
          { key: 'node-role.kubernetes.io/master', operator: 'Exists' },
        ],
      },
    },
    // The chart of this version refuses what it says.
    told: ['warning metallb-helm-release.yaml:21:7 OutdatedValues'],
  },
  {
    name: '04-blackjid-home-ops',
    namespace: 'kube-system',
    objects: {
      'IPAddressPool default': pool(['10.2.1.100-10.2.1.150']),
      'L2Advertisement l2advertisement1': l2(['default']),
    },
    told: [],
  },
  {
    name: '08-xunholy-k8s-gitops',
    objects: {
      'IPAddressPool default': pool(['192.168.1.150-192.168.1.155']),
      'L2Advertisement l2advertisement1': l2(['default']),
    },
    namespace: 'network',
    told: ['notice patch.yaml:11:1 Skipped'],
  },
  {
    name: '09-szinn-k8s-homelab',
    objects: {},
    told: ['helm-release.yaml:34:15 Unrendered'],
  },
  {
    name: '10-henrysachs-k8s-gitops',
    objects: {
      'IPAddressPool default': pool(['192.168.2.48/31']),
      'L2Advertisement l2advertisement1': l2(['default']),
    },
    // Without a version the newest chart is meant.
    told: ['warning helmrelease.yaml:28:7 OutdatedValues'],
  },
  {
    name: '12-dbrennand-home-ops',
    objects: {
      'IPAddressPool main': pool(['192.168.0.21-192.168.0.49']),
      'L2Advertisement main': l2(),
    },
    // Its chart is cert-manager's.
    told: ['notice helmrelease.yaml:3:1 Skipped'],
  },
  {
    name: '13-peterkeen-nimbus',
    objects: {
      'IPAddressPool proxy-pool': pool(['10.73.95.20-10.73.95.29']),
      'L2Advertisement proxy-adv': l2(['proxy-pool']),
    },
    told: ['notice helmrelease.yaml:25:1 EmptySource'],
  },
  {
    name: '14-mchestr-home-cluster',
    objects: {
      'IPAddressPool default': pool(['192.168.1.220-192.168.1.240'], { autoAssign: false }),
      'L2Advertisement default': l2(),
    },
    told: ['notice app/helmrelease.yaml:29:5 EmptySource'],
  },
  {
    name: '15-khuedoan-homelab',
    objects: {
      'BGPPeer peer1': peer({
        peerAddress: '192.168.192.1',
        peerASN: 64512,
        myASN: 64513,
        holdTime: '1m30s',
      }),
      'IPAddressPool default': pool(['192.168.193.0/24']),
      'BGPAdvertisement bgpadvertisement1': bgp(['default']),
    },
    told: [`warning configmap.yaml:4:3 ${NOT_LABELLED}`],
  },
  {
    name: '15b-khuedoan-homelab',
    paths: ['values.yaml', '../15-khuedoan-homelab/configmap.yaml'],
    objects: {
      'BGPPeer peer1': peer({
        peerAddress: '192.168.192.1',
        peerASN: 64512,
        myASN: 64513,
        holdTime: '1m30s',
      }),
      'IPAddressPool default': pool(['192.168.193.0/24']),
      'BGPAdvertisement bgpadvertisement1': bgp(['default']),
    },
    told: [],
  },
  {
    name: '17-cloudlabs-ufscar-incus-sidecar',
    namespace: 'loadbalance',
    objects: {
      'IPAddressPool incus': pool(['192.168.200.99/32']),
      'IPAddressPool openstack': pool(['192.168.100.99/32']),
      'L2Advertisement default-l2': l2(['incus', 'openstack']),
    },
    told: ['notice metallb.yaml:16:1 EmptySource'],
  },
  {
    name: '24-th3link-hyrule',
    namespace: 'metallb',
    objects: {
      'IPAddressPool default': pool(['192.168.178.210-192.168.178.229', 'fd00::210-fd00::229']),
      'L2Advertisement default': l2(),
    },
    told: [],
  },
  {
    name: '25-ii-fop-infra',
    objects: {
      'IPAddressPool default': pool(['192.168.1.145/32', '192.168.1.151-192.168.1.160']),
      'L2Advertisement default': l2(),
    },
    told: [],
  },
  {
    name: '26-linuxmaniac-home-ops',
    objects: {
      'BGPPeer opnsense': peer({ myASN: 64500, peerASN: 64501, peerAddress: '192.168.4.1' }),
      'IPAddressPool external-pool': pool(['192.168.5.225-192.168.5.254']),
      'IPAddressPool internal-pool': pool(['192.168.4.240-192.168.4.250']),
      'L2Advertisement pk8s-internal': l2(['internal-pool']),
      'BGPAdvertisement metallb-external': bgp(['external-pool']),
    },
    told: [],
  },
  {
    name: '27-tobimichael96-kube-config',
    namespace: 'metallb',
    objects: {
      'IPAddressPool default': pool(['192.168.178.120/32']),
      'L2Advertisement default': l2(['default']),
      'BGPAdvertisement default': bgp(['default']),
    },
    told: [],
  },
  {
    name: '29-idiot29-labz',
    objects: {
      'IPAddressPool inf-monitoring-pool': pool(['10.10.0.250-10.10.0.254']),
      'BGPPeer bgp-peer': peer({ peerAddress: '10.10.0.242', peerASN: 64500, myASN: 64501 }),
      'BGPAdvertisement bgp-advertisement': bgp(['inf-monitoring-pool']),
    },
    told: ['notice release.yaml:1:1 EmptySource'],
  },
  {
    name: '30-binaryman32-argocd',
    objects: {
      'IPAddressPool default': pool(['192.168.8.110-192.168.8.255'], { avoidBuggyIPs: true }),
      'IPAddressPool reserved': pool(['192.168.8.100-192.168.8.109'], {
        autoAssign: false,
        avoidBuggyIPs: true,
      }),
      'L2Advertisement default': l2(['default']),
      'L2Advertisement reserved': l2(['reserved']),
    },
    told: [],
  },
  {
    name: '31-kenlasko-k8s',
    objects: {
      'IPAddressPool default': pool(['192.168.1.10-192.168.1.10']),
      'L2Advertisement l2advertisement1': l2(['default']),
    },
    told: [`warning config.yaml:4:3 ${NOT_LABELLED}`],
  },
  {
    // The base that the overlays stand on is not among the files.
    name: '32-dayzpd-kustomize-metallb',
    objects: {},
    told: [],
    unreadable: ['mgmt', 'prod', 'test'],
  },
  {
    name: '32-dayzpd-kustomize-metallb',
    paths: ['mgmt/addresspools.yaml'],
    objects: {
      'IPAddressPool default-addresspool': pool(['10.202.76.100-10.202.76.100']),
      'L2Advertisement default-advertise-all-pools': l2(),
    },
    told: [],
  },
  {
    name: '32-dayzpd-kustomize-metallb',
    paths: ['prod/addresspools.yaml'],
    objects: {
      'IPAddressPool default-addresspool': pool(['10.202.69.3-10.202.69.9']),
      'L2Advertisement default-advertise-all-pools': l2(),
    },
    told: [],
  },
  {
    name: '32-dayzpd-kustomize-metallb',
    paths: ['test/addresspools.yaml'],
    objects: {
      'IPAddressPool default-addresspool': pool(['10.202.70.3-10.202.70.9']),
      'L2Advertisement default-advertise-all-pools': l2(),
    },
    told: [],
  },
  {
    name: '33-vespo92-open-platform-infra',
    objects: {
      'IPAddressPool shared-infra': pool(['10.0.16.0/24']),
      'L2Advertisement shared-infra-l2': l2(['shared-infra'], { interfaces: ['vlan101'] }),
    },
    told: [],
  },
  {
    name: '34-neuland-ingolstadt-flux-infra',
    objects: {
      'IPAddressPool floating-ip-pool': pool(['195.201.250.90/32']),
      'L2Advertisement floating-ip-advertisement': l2(['floating-ip-pool']),
    },
    told: [],
  },
  {
    name: '35-bansonj-gitops',
    objects: {
      'IPAddressPool first-pool': pool(['172.16.6.88-172.16.6.89']),
      'L2Advertisement example': l2(['first-pool']),
    },
    told: [],
  },
  {
    name: '36-mpwsh-k3s-arm64',
    objects: {
      'BGPAdvertisement default': bgp(['default']),
      'BGPPeer default': peer({ myASN: 64512, peerASN: 64512, peerAddress: '192.168.1.1' }),
      'IPAddressPool default': pool(['192.168.1.210-192.168.1.254'], { avoidBuggyIPs: true }),
    },
    told: [],
  },
  {
    name: '37-xunholy-k8s-gitops',
    namespace: 'network-system',
    objects: {},
    told: ['ipaddresspool.yaml:10:5 Unrendered'],
  },
  {
    name: '38-operate-first-apps',
    objects: {
      'IPAddressPool default': pool(['192.12.185.32-192.12.185.63']),
      'L2Advertisement l2advertisement1': l2(['default']),
    },
    told: [],
  },
  {
    name: '41-openshift-kni-telco-reference',
    objects: {},
    told: [
      'addr-pool.yaml:7:9 Unrendered',
      'addr-pool.yaml:12:16 Unrendered',
      'bfd-profile.yaml:7:9 Unrendered',
      'bgp-advr.yaml:7:9 Unrendered',
      'bgp-advr.yaml:10:21 Unrendered',
      'bgp-advr.yaml:14:12 Unrendered',
      'bgp-advr.yaml:18:18 Unrendered',
      'bgp-peer.yaml:7:9 Unrendered',
      'bgp-peer.yaml:10:16 Unrendered',
      'bgp-peer.yaml:11:12 Unrendered',
      'bgp-peer.yaml:12:10 Unrendered',
      'bgp-peer.yaml:13:13 Unrendered',
      'bgp-peer.yaml:14:15 Unrendered',
      'bgp-peer.yaml:16:14 Unrendered',
      'bgp-peer.yaml:17:13 Unrendered',
      'community.yaml:5:9 Unrendered',
      'community.yaml:8:18 Unrendered',
      // An object of status alone.
      'notice configurationstate.yaml:6:7 NoEffect',
      'notice metallbOperGroup.yaml:4:1 Skipped',
      'notice metallbSubscription.yaml:4:1 Skipped',
      'notice service.yaml:4:1 Skipped',
    ],
  },
  {
    name: '43b-angelnu-k8s-gitops',
    objects: {},
    told: ['IPAddressPool.yaml:18:7 Unrendered'],
  },
  {
    name: '44-lexfrei-k8s',
    objects: {
      'IPAddressPool default': pool(['172.16.6.2-172.16.6.100']),
      'IPAddressPool ingress-pool': pool(['172.16.6.1/32']),
      'L2Advertisement advertisement': l2(),
    },
    told: [],
  },
  {
    name: '46-ricsanfre-pi-cluster',
    objects: {},
    told: ['metallb-addresspool.yaml:6:14 Unrendered', 'metallb-addresspool.yaml:17:14 Unrendered'],
  },
  {
    name: '47-marvinpac-it-mvp-cluster',
    objects: {
      'IPAddressPool primary': pool(['192.168.77.110-192.168.77.150']),
      'L2Advertisement primary': l2(['primary']),
    },
    settings: { controller: ON_CONTROL_PLANE, speaker: ON_CONTROL_PLANE },
    told: [],
  },
  {
    name: '48-binkoni-gonnux.com-kubespray-deprecated',
    objects: {
      'IPAddressPool loadbalanced': pool(['192.168.10.2-192.168.10.253']),
      'L2Advertisement l2advertisement1': l2(['loadbalanced']),
    },
    told: [],
  },
  {
    name: '49-noahchalifour-ansible-kubernetes-cluster',
    objects: {},
    // It installs MetalLB, in a namespace of its own, and gives it nothing.
    told: ['notice addons.yml:2:1 EmptySource', 'notice addons.yml:10:20 NoEffect'],
  },
  {
    name: '51-spectrocloud-gitops-picard',
    objects: {
      'IPAddressPool default': pool(['10.10.182.10-10.10.182.19'], { avoidBuggyIPs: true }),
      'L2Advertisement default': l2(['default']),
    },
    told: [],
  },
];
