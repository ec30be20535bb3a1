import { describe, expect, it } from 'vitest';
import { anOperation } from '../../test/kit/facts.ts';
import { dedupeKey, openOperations, rowMessage, standingFailure } from './operation.ts';

const [waiting, completed, failed] = [anOperation('Waiting'), anOperation('Completed'), anOperation('Failed')];
const running = anOperation('In_Progress');

describe('Operations of one resource', () => {
  it('are open while one waits, whatever came before or after', () => {
    expect(openOperations([completed, waiting])).toEqual([waiting]);
    expect(openOperations([waiting, completed])).toEqual([waiting]);
  });

  it('are open while one is in progress, unless a later one has ended: that did its work too', () => {
    expect(openOperations([completed, running])).toEqual([running]);
    expect(openOperations([running, completed])).toEqual([]);
    expect(openOperations([running, failed])).toEqual([]);
  });

  it('have failed when the last that ended has', () => {
    expect(standingFailure([completed, failed])).toBe(failed);
    expect(standingFailure([failed, waiting])).toBe(failed);
    expect(standingFailure([failed, completed])).toBeUndefined();
    expect(standingFailure([waiting])).toBeUndefined();
    expect(standingFailure([])).toBeUndefined();
  });

  it('of ours wait under one key for each instance, type and resource', () => {
    expect(dedupeKey('instance', 'Application', 'id')).toBe('instance/Application/id');
  });
});

describe('a message for the row', () => {
  it('that fits is kept', () => {
    expect(rowMessage('x'.repeat(1024))).toHaveLength(1024);
  });

  it('that is too long is cut between characters, and says so', () => {
    expect(rowMessage('x'.repeat(1025))).toBe(`${'x'.repeat(1021)}...`);
    const cut = rowMessage('ü€😀'.repeat(200));
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(1024);
    expect(cut).toMatch(/^(ü€😀)*(ü|ü€)?\.\.\.$/);
  });
});
