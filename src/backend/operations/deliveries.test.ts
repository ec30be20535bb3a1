// Which Operation objects are removed together.
import { beforeEach, expect, it } from 'vitest';
import { createVirtualClock, type VirtualClock } from '../../../test/kit/virtual-clock.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';

let clock: VirtualClock;
let deliveries: Deliveries;
const row = (id: string) => ({ operation_id: id, namespace_name: 'argocd' });

beforeEach(() => {
  clock = createVirtualClock();
  deliveries = createDeliveries(clock);
  deliveries.add({ label: 'one', operationIds: ['a', 'b'] });
});

it('what was delivered together is whole once all of it can be removed', () => {
  expect(deliveries.sort([row('a')])).toEqual({ whole: [], single: [] });
  expect(deliveries.sort([row('b')])).toEqual({ whole: [{ label: 'one', rows: [row('a'), row('b')] }], single: [] });
});

it('what was removed is waited for no more', () => {
  deliveries.forget(['b']);
  expect(deliveries.sort([row('a')]).whole).toEqual([{ label: 'one', rows: [row('a')] }]);
});

it('what belongs to no delivery is single', () => {
  expect(deliveries.sort([row('other')])).toEqual({ whole: [], single: [row('other')] });
});

it('what waits for the others of its delivery for too long becomes single', async () => {
  deliveries.sort([row('a')]);
  expect([deliveries.lateInMs(), deliveries.late()]).toEqual([5_000, []]);
  await clock.advance(5_000);
  expect(deliveries.late()).toEqual([row('a')]);
  expect(deliveries.sort([row('a')]).single).toEqual([row('a')]);
  expect(deliveries.lateInMs()).toBe(Infinity);
});
