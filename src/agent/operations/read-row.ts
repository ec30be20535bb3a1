// An application as its row has it.
import { userFault } from '../../api/reasons.ts';
import { readSpecField, type DesiredApplication } from '../../domain/spec-field.ts';
import { messageOf } from '../../lib/fault.ts';

/** Reads a row's `spec_field`. @throws Fault('user', 'InvalidSpecField') for one that is damaged. */
export const readRow = (specField: string): DesiredApplication => {
  try {
    return readSpecField(specField);
  } catch (error) {
    throw userFault('InvalidSpecField', `the application's row can't be read: ${messageOf(error)}`);
  }
};
