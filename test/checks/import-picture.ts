// The picture of who imports whom, as docs/architecture.md shows it.
import { importsOf, moduleOf } from './imports.ts';
import { isService, type Source } from './source.ts';

/** The modules and arrows that exist, as a Mermaid flowchart; a dashed arrow stands for types only. */
export const importPicture = (sources: readonly Source[]): string => {
  const imports = sources.filter(({ path }) => isService(path)).flatMap(importsOf);
  const arrows = new Map<string, boolean>();
  for (const { source, to, local, typesOnly } of imports) {
    const [from, target] = [moduleOf(source.path), moduleOf(to)];
    if (!local || from === target) continue;
    const arrow = `${from} ${target}`;
    arrows.set(arrow, (arrows.get(arrow) ?? true) && typesOnly);
  }
  const modules = new Set(sources.filter(({ path }) => isService(path)).map(({ path }) => moduleOf(path)));
  const lines = [...arrows].map(([arrow, typesOnly]) => arrow.replace(' ', typesOnly ? ' -.-> ' : ' --> '));
  return ['flowchart TD', ...[...modules].toSorted(), ...lines.toSorted()].join('\n  ');
};

const BLOCK = /(<!-- import-graph:begin -->)[^]*(<!-- import-graph:end -->)/;

/** A page with the picture between its two marks; the page as it is when it has no marks. */
export const withPicture = (page: string, picture: string): string =>
  page.replace(BLOCK, (_, begin: string, end: string) => `${begin}\n\n\`\`\`mermaid\n${picture}\n\`\`\`\n\n${end}`);
