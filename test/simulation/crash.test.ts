// A sample of the crash test: both processes are killed at once, at calls spread over every scenario.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createGround, type Ground } from './crash-lane.ts';
import { parseTarget, runCrashPlan, targetText, type Outcome } from './crash-run.ts';
import { scenarios, type ScenarioName } from './crash-scenarios.ts';
import type { Target } from './crash-crew.ts';

const scenarioNames = Object.keys(scenarios) as ScenarioName[]; // they are its keys

/** Of each scenario: what follows its first commit, and a call of the agent from the middle of its list. */
const sample = (recorded: readonly Target[]): readonly Target[] => {
  const middle = (role: string): Target | undefined => {
    const calls = recorded.filter((target) => target.role === role && target.ordinal === 1);
    return calls[Math.floor(calls.length / 2)];
  };
  const commit = recorded.find(({ call, edge }) => call === 'sql commit' && edge === 'after');
  return [commit, middle('agent')].filter((target) => target !== undefined);
};

const errorsOf = (outcomes: readonly Outcome[]): readonly string[] =>
  outcomes.flatMap(({ scenario, target, result }) =>
    'error' in result ? [`${scenario}, ${targetText(target)}: ${result.error}\n${result.log}`] : [],
  );

describe('backend and agent, killed at the same moment', { timeout: 240_000 }, () => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await createGround(inject('databaseServerUrl'));
  });
  afterAll(() => ground[Symbol.asyncDispose]());

  it('make good what they were at, whatever that was, and delete nothing that nobody asked for', async () => {
    const outcomes = await runCrashPlan(ground, {
      half: 'both',
      scenarios: scenarioNames,
      lanes: 2,
      choose: sample,
    });
    expect(errorsOf(outcomes)).toEqual([]);
    const reached = outcomes.filter(({ result }) => 'reached' in result && result.reached);
    expect(new Set(reached.map(({ scenario }) => scenario))).toEqual(new Set(scenarioNames));
    expect(reached.length).toBeGreaterThanOrEqual(20);
  });
});

describe('a kill point', () => {
  it('is written as it is read', () => {
    const text = 'backend: api PATCH gitopsdeployments/status #2 after';
    const call = 'api PATCH gitopsdeployments/status';
    const target: Target = { role: 'backend', call, ordinal: 2, edge: 'after' };
    expect(parseTarget(text)).toEqual(target);
    expect(targetText(target)).toBe(text);
  });

  it.each(['', 'backend', 'nobody: sql commit #1 after', 'agent: sql commit #0 after', 'agent: sql commit #1 during'])(
    'is not %j',
    (text) => {
      expect(parseTarget(text)).toBeUndefined();
    },
  );
});
