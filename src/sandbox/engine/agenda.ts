// Remembers which Applications are to be compared again, and why; a restart starts with all of them.
import { refreshAnnotation } from '../../api/labels.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Application } from './shapes.ts';

/**
 * How much a comparison asks for: `recent` compares with the commit of the last one (a live object changed), `latest`
 * asks the repository again.
 */
export type Level = 'recent' | 'latest';

/** Why an Application is compared: how far, and whether someone waits for it, so that it is dated whatever it finds. */
export interface Due {
  readonly level: Level;
  readonly dated: boolean;
}

/** What is to be compared. */
export interface Agenda {
  /** Notes that the Application has to be compared; with `dated`, that the time of it is to be told. */
  mark(name: string, level: Level, dated?: boolean): void;
  /** Whether a comparison is due now; taking it clears the note. */
  take(application: Application): Due | undefined;
  /** Milliseconds until the repository is asked again by itself. */
  nextInMs(name: string): number;
  forget(name: string): void;
}

interface Memory {
  readonly spec: string;
  readonly comparedAtMs: number;
}

/** Creates the agenda; the repository of each Application is asked at least every `refreshMs`. */
export const createAgenda = ({ clock, refreshMs }: { readonly clock: Clock; readonly refreshMs: number }): Agenda => {
  const memories = new Map<string, Memory>();
  const marks = new Map<string, Due>();

  const nextInMs = (name: string): number =>
    Math.max((memories.get(name)?.comparedAtMs ?? -refreshMs) + refreshMs - clock.monotonicMs(), 0);

  const dueOf = (application: Application, spec: string): Due | undefined => {
    const { name, annotations } = application.metadata;
    if (annotations?.[refreshAnnotation] !== undefined) return { level: 'latest', dated: true };
    const mark = marks.get(name);
    if (memories.get(name)?.spec === spec && nextInMs(name) > 0) return mark;
    return { level: 'latest', dated: mark?.dated ?? false };
  };

  return {
    mark(name, level, dated = false) {
      const before = marks.get(name);
      marks.set(name, {
        level: before?.level === 'latest' ? 'latest' : level,
        dated: dated || (before?.dated ?? false),
      });
    },
    take(application) {
      const { name } = application.metadata;
      const spec = JSON.stringify(application.spec);
      const due = dueOf(application, spec);
      if (!due) return undefined;
      marks.delete(name);
      const before = memories.get(name)?.comparedAtMs ?? clock.monotonicMs();
      memories.set(name, { spec, comparedAtMs: due.level === 'latest' ? clock.monotonicMs() : before });
      return due;
    },
    nextInMs,
    forget(name) {
      memories.delete(name);
      marks.delete(name);
    },
  };
};
