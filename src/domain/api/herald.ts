/** The kinds of herald.io, all of them v1alpha1. */
export {
  type AddressProbe,
  type AddressProbeSpec,
  type AddressProbeStatus,
  AddressProbes,
  addressProbeCrd,
  MAX_PROBED,
  type ProbeAnswer,
  type ProbeResult,
} from './herald/address-probe.ts';
export {
  type AddressQuota,
  type AddressQuotaSpec,
  type AddressQuotaStatus,
  AddressQuotas,
  addressQuotaCrd,
  addressQuotaSpec,
} from './herald/address-quota.ts';
export {
  type ConfigSource,
  type ConfigSourceSpec,
  type ConfigSourceStatus,
  ConfigSources,
  configSourceCrd,
  MAX_PROBLEMS,
} from './herald/config-source.ts';
export {
  PLAN_BOUNDS,
  type Plan,
  type PlanSpec,
  type PlanState,
  type PlanStatus,
  type PlanStep,
  Plans,
  planCrd,
} from './herald/plan.ts';
export {
  type Reservation,
  type ReservationSpec,
  type ReservationStatus,
  Reservations,
  reservationCrd,
  reservationSpec,
} from './herald/reservation.ts';
