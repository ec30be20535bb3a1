// Remembers which Applications are to be compared again, and why; a restart starts with all of them.
import { refreshAnnotation } from '../../api/labels.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Application } from './shapes.ts';

/**
 * How much a comparison asks for: `recent` compares with the commit of the last one (a live object changed), `latest`
 * asks the repository again.
 */
export type Level = 'recent' | 'latest';

/** Why an Application is compared: how far, and whether someone asked for it. */
export interface Due {
  readonly level: Level;
  readonly requested: boolean;
}

/** What is to be compared. */
export interface Agenda {
  /** Notes that the Application has to be compared. */
  mark(name: string, level: Level): void;
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
  const marks = new Map<string, Level>();

  const nextInMs = (name: string): number =>
    Math.max((memories.get(name)?.comparedAtMs ?? -refreshMs) + refreshMs - clock.monotonicMs(), 0);

  const dueOf = (application: Application, spec: string): Due | undefined => {
    const { name, annotations } = application.metadata;
    if (annotations?.[refreshAnnotation] !== undefined) return { level: 'latest', requested: true };
    const mark = marks.get(name);
    if (memories.get(name)?.spec !== spec || nextInMs(name) === 0) return { level: 'latest', requested: false };
    return mark && { level: mark, requested: false };
  };

  return {
    mark: (name, level) => void marks.set(name, marks.get(name) === 'latest' ? 'latest' : level),
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
