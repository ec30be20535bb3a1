// The few field types our schemas are made of. Each takes its description first, so that no field goes without one.
import { z } from 'zod';

/** Free text; may be empty. */
export const text = (description: string) => z.string().describe(description);

/** An RFC 3339 time, kept as text, as on the wire. */
export const time = (description: string) => z.string().meta({ description, format: 'date-time' });

/** A whole number that Go keeps in 64 bits. */
export const int64 = (description: string) => z.int().meta({ description, format: 'int64' });

/** True or false. */
export const flag = (description: string) => z.boolean().describe(description);

/** Names to texts, as labels are. */
export const textMap = (description: string) => z.record(z.string(), z.string()).describe(description);

/** A list; order is kept. */
export const list = <T extends z.ZodType>(description: string, item: T) => z.array(item).describe(description);

/** An object with these fields. */
export const object = <S extends z.ZodRawShape>(description: string, shape: S) => z.object(shape).describe(description);
