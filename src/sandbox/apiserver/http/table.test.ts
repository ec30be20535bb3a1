import { describe, expect, it } from 'vitest';
import { createTestApi, widget, widgetsPath } from '../api-fixture.ts';
import { asArray, asText, valueAt } from '../json.ts';
import { ageOf, shortDuration } from '../kinds/age.ts';
import { parseJsonPath } from '../kinds/json-path.ts';

const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const rows = (body: unknown): unknown[] => asArray(valueAt(body, 'rows')).map((row) => valueAt(row, 'cells'));

describe('a table', () => {
  it('has the columns of the definition', async () => {
    const { ask, merge, clock } = createTestApi();
    ask('POST', widgetsPath, { body: widget('one', { size: 5 }) });
    ask('POST', widgetsPath, { body: widget('two') });
    merge(`${widgetsPath}/one/status`, { status: { conditions: [{ type: 'Ready', status: 'True' }] } });
    await clock.advance(90_000);
    const { body } = ask('GET', widgetsPath, { accept: tableType });
    expect(asArray(valueAt(body, 'columnDefinitions')).map((column) => asText(valueAt(column, 'name')))).toEqual([
      'Name',
      'Size',
      'Ready',
      'Age',
    ]);
    expect(rows(body)).toEqual([
      ['one', 5, 'True', '90s'],
      ['two', 1, null, '90s'],
    ]);
    expect(body).toMatchObject({ kind: 'Table', rows: [{ object: { kind: 'PartialObjectMetadata' } }, {}] });
  });

  it('is what a watch sends, too, with the whole object when that is asked for', () => {
    const { ask, watch } = createTestApi();
    ask('POST', widgetsPath, { body: widget('one') });
    const { events } = watch(`${widgetsPath}?includeObject=Object`, tableType);
    expect(events).toMatchObject([
      { type: 'ADDED', object: { kind: 'Table', rows: [{ object: { kind: 'Widget', spec: { size: 1 } } }] } },
    ]);
  });

  it('shows what matters of a built-in kind', () => {
    const { ask } = createTestApi();
    expect(rows(ask('GET', '/api/v1/namespaces', { accept: tableType }).body)[0]).toEqual(['default', 'Active', '0s']);
  });
});

describe('other shapes of an answer', () => {
  it('is metadata alone', () => {
    const { ask } = createTestApi();
    ask('POST', widgetsPath, { body: widget('one') });
    const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
    const { body } = ask('GET', widgetsPath, { accept });
    expect(body).toMatchObject({ kind: 'PartialObjectMetadataList', items: [{ kind: 'PartialObjectMetadata' }] });
    expect(valueAt(asArray(valueAt(body, 'items'))[0], 'spec')).toBeUndefined();
  });

  it('is refused when it is not JSON', () => {
    const { ask } = createTestApi();
    expect(ask('GET', '/api/v1/namespaces', { accept: 'application/yaml' }).code).toBe(406);
  });
});

describe('an age', () => {
  it.each([
    [5_000, '5s'],
    [119_000, '119s'],
    [200_000, '3m20s'],
    [180 * 60_000, '3h'],
    [200 * 60_000, '3h20m'],
    [30 * 3_600_000, '30h'],
    [50 * 3_600_000, '2d2h'],
    [400 * 86_400_000, '400d'],
    [800 * 86_400_000, '2y70d'],
  ])('of %d ms is %s', (durationMs, shown) => {
    expect(shortDuration(durationMs)).toBe(shown);
  });

  it('of nothing is unknown', () => {
    expect(ageOf(undefined, 0)).toBe('<unknown>');
  });
});

describe('a JSON path', () => {
  const object = {
    a: { 'b.c': [1, 2] },
    list: [
      { type: 'X', on: false },
      { type: 'Y', on: true, value: 7 },
    ],
  };

  it.each([
    ['.list[1].type', 'Y'],
    ['.list[-1].type', 'Y'],
    [`.a['b.c'][0]`, 1],
    [String.raw`.a.b\.c[1]`, 2],
    ['.list[?(@.type=="Y")].value', 7],
    ['.list[?(@.on==true)].type', 'Y'],
    ['.list[*].type', 'X'],
    ['{.list[0].on}', false],
    ['.none.where', undefined],
  ])('%s finds %j', (path, value) => {
    expect(parseJsonPath(path)?.(object)).toEqual(value);
  });

  it('of another form is none', () => {
    expect(parseJsonPath('.list[0:1]')).toBeUndefined();
  });
});
